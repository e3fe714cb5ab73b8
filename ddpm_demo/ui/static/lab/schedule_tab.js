// The Schedule tab of the lab.
import { mount } from "../tabs/schedule.js";
import { facts } from "./facts.js";
import { mounted, prose } from "./mounted.js";

/** @param {HTMLElement} place */
export function buildScheduleTab(place) {
  mounted(place, "schedule-chart", mount);
  place.append(prose(facts.tabs.schedule.lesson, { id: "schedule-words" }));
}
