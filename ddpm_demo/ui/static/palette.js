// Okabe & Ito's palette, told apart by colour-blind eyes, on white and on near-black alike: what is drawn takes it from
// here, what is styled from palette.css, what Python draws from store/pictures.py; a test holds the three together.
export const BLUE = "#0072B2";
export const ORANGE = "#D55E00";
export const GREEN = "#009E73";
export const GREY = "#888888";
