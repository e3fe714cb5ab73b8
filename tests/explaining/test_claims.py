from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.explaining import claims
from ddpm_demo.explaining.claims import check_claims


def verdicts():
    return {claim.statement: claim for claim in check_claims()}


def test_true_and_false_claims_are_told_apart():
    found = verdicts()
    assert found["parameters of the network"].holds
    assert found["shape after the output projection"].holds
    assert found["alpha_bar at t = 0"].holds
    for statement, truth in [
        ("alpha_bar at t = 1", "0.99978"),
        ("alpha_bar at t = 500", "0.0778"),
        ("alpha_bar at t = 999", "4.03583 × 10⁻⁵"),
        ("receptive field after blocks 2 and 3, blocks alone, in pixels", "11 and 17"),
        ("receptive field after blocks 4 and 5, blocks alone, in pixels", "35 and 53"),
    ]:
        assert not found[statement].holds
        assert found[statement].truth == truth
        assert found[statement].basis == "computed"


def test_a_verdict_follows_the_code(monkeypatch):
    """With a schedule of which the claims were true, they hold: nothing is typed in."""
    before = verdicts()["alpha_bar at t = 500"]
    gentler = Schedule.from_config(ScheduleConfig(beta_T=0.014))
    monkeypatch.setattr(claims.Schedule, "from_config", lambda config: gentler)
    after = verdicts()["alpha_bar at t = 500"]
    assert (before.holds, after.holds) == (False, True)
    assert not verdicts()["beta runs from 0.0001 to 0.02"].holds


def test_every_claim_has_a_source():
    assert all("section" in claim.source for claim in check_claims())
