from ddpm_demo.training.history import FILE, TAIL, History, last_line, read_all, read_since, thinned


def line(step, kind="loss"):
    return {"kind": kind, "step": step, "loss": step / 10}


def test_a_reader_gets_what_is_new(tmp_path):
    history = History(tmp_path, step=0)
    history.add(line(1))
    first = read_since(tmp_path, "", 0)
    assert first.fresh
    assert [each["kind"] for each in first.lines] == ["begin", "loss"]
    history.add(line(2))
    with history.path.open("ab") as file:
        file.write(b'{"kind":"loss","st')  # on its way
    second = read_since(tmp_path, first.sitting, first.offset)
    assert not second.fresh
    assert second.lines == [line(2)]
    assert read_since(tmp_path, first.sitting, second.offset).lines == []
    for nonsense in (-5, 10**9, 0):
        assert read_since(tmp_path, first.sitting, nonsense).fresh


def test_a_resumption_forgets_what_a_kill_has_undone(tmp_path):
    history = History(tmp_path, step=0)
    for step in (1, 2, 3, 4):
        history.add(line(step))
    before = read_since(tmp_path, "", 0)
    with history.path.open("ab") as file:
        file.write(b'{"kind":"loss","step":5,"lo')
    History(tmp_path, step=2).add(line(3))
    after = read_since(tmp_path, before.sitting, before.offset)
    assert after.fresh
    assert [each["step"] for each in after.lines] == [2, 1, 2, 3]
    assert after.sitting != before.sitting


def test_rubbish_is_left_out(tmp_path):
    assert read_all(tmp_path) == []
    (tmp_path / FILE).write_bytes(b'\xff\xfe\n[]\n{"kind":"loss"}\n{"step":1,"kind":"loss"}\n')
    assert read_all(tmp_path) == [{"step": 1, "kind": "loss"}]


def test_thinning_keeps_the_newest_and_every_other_kind():
    lines = [line(k, "held_out" if k == 50 else "loss") for k in range(101)]
    thin = thinned(lines, 10)
    assert len(thin) <= 12
    assert thin[-1] == lines[-1]
    assert lines[50] in thin
    assert thinned(lines, 1000) == lines


def test_the_last_line_is_found_without_reading_the_rest(tmp_path):
    assert last_line(tmp_path) is None
    history = History(tmp_path, step=0)
    for step in range(1, 300):
        history.add(line(step))
    assert history.path.stat().st_size > 2 * TAIL
    with history.path.open("ab") as file:
        file.write(b'no line\n{"kind":"end","st')  # rubbish, and one on its way
    assert last_line(tmp_path) == read_all(tmp_path)[-1] == line(299)
