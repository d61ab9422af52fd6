# SPDX-License-Identifier: MIT
"""hasten.pstats where it is not only the standard module's equal: files that are damaged,
objects that are mixed, methods that are overridden, the table behind it."""

import copy
import cProfile
import gc
import io
import marshal
import os
import pickle
import pstats as standard
import subprocess
import sys
import threading
from fractions import Fraction

import pytest
from hasten import _pstats, pstats
from isolated import run_isolated
from random_stats import Maker, Profile


def sample(seed=4):
    maker = Maker(seed)
    maker.is_plain = maker.has_times = True
    maker.functions = [maker.function() for _ in range(40)]
    return maker.stats()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "sample.prof"
    path.write_bytes(marshal.dumps(sample()))
    return str(path)


def printed(stats, *amount):
    stats.stream = io.StringIO()
    stats.print_stats(*amount).print_callers(*amount).print_callees(*amount)
    return stats.stream.getvalue()


# Names.


def test_has_every_public_name_of_the_standard_module():
    assert sorted(pstats.__all__) == sorted(standard.__all__)
    for name, value in vars(standard).items():
        if getattr(value, "__module__", "") == "pstats":
            assert hasattr(pstats, name), name
    for name in vars(standard.Stats):
        assert hasattr(pstats.Stats, name), name


def test_objects_of_the_standard_module_are_known():
    assert pstats.SortKey is standard.SortKey
    assert issubclass(pstats.Stats, standard.Stats)
    assert pstats.Stats.__doc__ == standard.Stats.__doc__


# What is loaded, and where it is kept.


def test_dicts_are_made_when_they_are_asked_for(path):
    stats = pstats.Stats(path)
    assert stats._table is not None
    assert stats.stats == sample()
    assert stats._table is None
    assert stats.stats is stats.stats
    function = next(iter(stats.stats))
    stats.stats[function] = (1, 1, 99.5, 99.5, {})
    assert " 99.500 " in printed(stats)


def test_everything_works_after_the_dicts_were_asked_for(path):
    ours, theirs = pstats.Stats(path), standard.Stats(path)
    assert ours.sort_stats("name").fcn_list == theirs.sort_stats("name").fcn_list
    assert printed(ours) == printed(theirs)
    assert ours._table is not None  # a list of functions can be printed from the table
    ours.fcn_list.reverse()
    theirs.fcn_list.reverse()
    assert printed(ours) == printed(theirs)
    ours.calc_callees()
    theirs.calc_callees()
    assert ours.all_callees == theirs.all_callees
    ours.stats, theirs.stats = {}, {}
    assert ours.strip_dirs().stats == {}


def test_functions_that_are_no_rows_are_refused_as_by_the_standard_module(path):
    for module in (standard, pstats):
        stats = module.Stats(path, stream=io.StringIO()).sort_stats("name")
        stats.fcn_list = [*stats.fcn_list, ("gone.py", 1, "gone")]
        with pytest.raises(KeyError, match="gone"):
            stats.print_stats()


def test_equal_texts_and_functions_are_one_object(path):
    stats = pstats.Stats(path).stats
    functions = {}
    for function, row in stats.items():
        for one in (function, *row[4]):
            assert functions.setdefault(one, one) is one


def test_fractions_are_left_to_python():
    function = ("f.py", 1, "f")
    profile = Profile({function: (1, 1, Fraction(1, 3), Fraction(2, 3), {})})
    stats = pstats.Stats(profile, pstats.Stats(profile_of(function)))
    assert stats.stats[function][2] == Fraction(1, 3) + 1
    assert stats.stats[function][:2] == (2, 2)


def profile_of(function):
    return Profile({function: (1, 1, 1, 1, {})})


def test_numbers_beyond_those_of_a_table_stay_exact(tmp_path):
    function = ("f.py", 1, "f")
    path = tmp_path / "large"
    path.write_bytes(marshal.dumps({function: (2**53, 2**53, 0.5, 0.5, {})}))
    stats = pstats.Stats(str(path), str(path))
    assert stats._table is None
    assert stats.stats[function][0] == 2**54
    stats = pstats.Stats(Profile({function: (2**80, 2**80, 0.5, 0.5, {})}))
    assert stats.total_calls == 2**80


def test_real_profiler():
    profile = cProfile.Profile()
    profile.runcall(sample)
    profile.create_stats()
    expected = dict(profile.stats)
    stats = pstats.Stats(profile)
    assert stats._table is not None
    assert stats.stats == expected
    assert "random_stats.py" in printed(pstats.Stats(Profile(expected)), "random_stats")


def test_many_files_are_added_in_the_table(tmp_path):
    paths = []
    for seed in range(60):
        paths.append(str(tmp_path / f"{seed}"))
        with open(paths[-1], "wb") as file:
            file.write(marshal.dumps(sample(seed)))
    ours, theirs = pstats.Stats(*paths), standard.Stats(*paths)
    assert ours._table is not None
    assert printed(ours) == printed(theirs)
    assert ours.stats == theirs.stats
    assert list(ours.stats) == list(theirs.stats)


# Mixing.


class Branded(standard.Stats):
    pass


class Own(pstats.Stats):
    pass


@pytest.mark.parametrize("cls", [standard.Stats, Branded, Own, pstats.Stats])
def test_adds_statistics_of_any_class(path, cls):
    expected = standard.Stats(path, path)
    stats = pstats.Stats(path).add(cls(path))
    assert stats.files == expected.files
    assert printed(stats) == printed(expected)
    assert stats.stats == expected.stats


def test_adds_to_itself(path):
    ours, theirs = pstats.Stats(path), standard.Stats(path)
    ours.add(ours, ours)
    theirs.add(theirs, theirs)
    assert ours._table is not None
    assert ours.stats == theirs.stats
    assert ours.total_calls == theirs.total_calls


def test_what_was_added_is_left_as_it_was(path):
    one, other = pstats.Stats(path), pstats.Stats(path)
    one.add(other).strip_dirs()
    assert other.stats == sample()


def test_overridden_methods_are_called(path):
    class Shouting(pstats.Stats):
        def print_line(self, func):
            print("line of", func[2].upper(), file=self.stream)

        def print_call_line(self, name_size, source, call_dict, arrow="->"):
            print("calls of", source[2].upper(), len(call_dict), file=self.stream)

    class Standard(standard.Stats):
        print_line = Shouting.print_line
        print_call_line = Shouting.print_call_line

    assert printed(Shouting(path)) == printed(Standard(path))
    assert "line of MAIN" in printed(Shouting(path))
    stats = pstats.Stats(path)
    stats.print_line = lambda func: print("instance", file=stats.stream)
    assert printed(stats).count("instance") == len(sample())


def test_replaced_formats_are_used(path, monkeypatch):
    def micro(seconds):
        return f"{seconds * 1e6:12.1f}"

    assert printed(pstats.Stats(path)) == printed(standard.Stats(path))
    monkeypatch.setattr(pstats, "f8", micro)
    text = printed(pstats.Stats(path).sort_stats("time"))
    monkeypatch.undo()
    monkeypatch.setattr(standard, "f8", micro)
    assert text == printed(standard.Stats(path).sort_stats("time"))


def test_copies(path):
    stats = pstats.Stats(path, stream=io.StringIO()).sort_stats("name")
    shallow, deep = copy.copy(stats), copy.deepcopy(stats)
    assert shallow.stats is stats.stats
    assert deep.stats == stats.stats
    assert deep.stats is not stats.stats
    assert deep.fcn_list == stats.fcn_list
    assert printed(deep) == printed(shallow) == printed(stats)
    stats.stream = None
    thawed = pickle.loads(pickle.dumps(stats))
    assert thawed.stats == stats.stats
    assert printed(thawed) == printed(stats)


# Files.


def test_dump_is_read_by_the_standard_module(path, tmp_path):
    dump = str(tmp_path / "dump")
    stats = pstats.Stats(path, path)
    stats.dump_stats(dump)
    assert stats._table is not None
    with open(dump, "rb") as file:
        assert marshal.load(file) == standard.Stats(path, path).stats
    again = pstats.Stats(dump)
    assert again._table is not None
    assert again.stats == stats.stats


def test_every_truncation_fails_as_the_standard_reader_does():
    data = marshal.dumps(sample(5))
    data = data[:3000]
    for size in range(len(data)):
        with pytest.raises((EOFError, ValueError, TypeError)) as theirs:
            marshal.loads(data[:size])
        with pytest.raises(theirs.type):
            _pstats.Table().load(data[:size], False, True)


@pytest.mark.parametrize("version", range(marshal.version + 1))
def test_changed_bytes_are_never_more_than_an_exception(version):
    data = bytearray(marshal.dumps(sample(6), version)[:6000])
    table = _pstats.Table()
    for at in range(0, len(data), 3):
        for value in (0, 0x28, 0x72, 0x7B, 0xFF, data[at] ^ 0x80):
            kept, data[at] = data[at], value
            try:
                table.load(data, True, True)
            except (EOFError, ValueError, TypeError) as error:
                assert "byte" in str(error)
            data[at] = kept


@pytest.mark.parametrize(
    ("data", "error", "part"),
    [
        (b"", EOFError, "EOF read where object expected: the data ends at byte 0"),
        (b"hello, world", ValueError, "bad marshal data (unknown type code) at byte 0"),
        (b"{i\x01\x00\x00", EOFError, "marshal data too short: it ends at byte 5"),
        (b"{)\x03r\x07\x00\x00\x00", ValueError, "invalid reference"),
        (b"(\xff\xff\xff\xff", ValueError, "size out of range"),
        (b"0", TypeError, "NULL object in marshal data"),
        (b"{z\x01a0", TypeError, "NULL object in marshal data"),
        (b"{u\x02\x00\x00\x00\xff\xff", ValueError, "text that is not UTF-8"),
        (b"c" + bytes(60), ValueError, "a code object"),
        (b"\xa8\x01\x00\x00\x00r\x00\x00\x00\x00", ValueError, "an object that holds itself"),
        (b"(\x01\x00\x00\x00" * 65 + b"N", ValueError, "nested too deeply"),
        (b"l\x01\x00\x00\x00\xff\xff", ValueError, "digit out of range"),
        (b"l\x01\x00\x00\x00\x00\x00", ValueError, "unnormalized long"),
        (b"f\x021x", ValueError, "not a number"),
    ],
)
def test_damaged_file_is_named(tmp_path, data, error, part):
    path = tmp_path / "broken"
    path.write_bytes(data)
    for make in (pstats.Stats, pstats.Stats(Profile(sample())).add):
        with pytest.raises(error) as caught:
            make(str(path))
        assert caught.type is error
        assert part in str(caught.value)
        assert f"{str(path)!r} is damaged, or has no statistics: " in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        5,
        "text",
        None,
        (),
        {1: 2},
        {("f", 1, "g"): 5},
        {("f", 1, "g"): (1, 2, 3, 4, 5)},
        {("f", 1): (1, 1, 1, 1, {})},
        {("f", 1, "g"): (1, 1, 1, 1, {1: 2})},
    ],
    ids=repr,
)
def test_other_data_fails_as_in_the_standard_module(tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(marshal.dumps(content))
    outcomes = []
    for module in (standard, pstats):
        stream = io.StringIO()
        try:
            outcome = module.Stats(str(path), stream=stream).stats
        except Exception as error:
            outcome = type(error), str(error).replace("hasten.", "")
        outcomes.append((outcome, stream.getvalue()))
    assert outcomes[0] == outcomes[1]


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        pstats.Stats(str(tmp_path / "none"))
    assert caught.value.filename == str(tmp_path / "none")


def test_path_object_is_refused_as_in_the_standard_module(tmp_path):
    for module in (standard, pstats):
        with pytest.raises(TypeError, match="Cannot create or construct"):
            module.Stats(tmp_path)


def test_failed_add_changes_nothing(path, tmp_path):
    broken = tmp_path / "broken"
    with open(path, "rb") as file:
        broken.write_bytes(file.read()[:-20])
    stats = pstats.Stats(path)
    with pytest.raises(EOFError):
        stats.add(str(broken))
    expected = pstats.Stats(path)
    assert printed(stats) == printed(expected)
    assert stats.stats == expected.stats


# The table itself.


def test_table_checks_its_arguments():
    table = _pstats.Table()
    for call in (
        lambda: _pstats.Table(1),
        lambda: table.load("text", False, False),
        lambda: table.add_dict([], False),
        lambda: table.add_table({}),
        lambda: table.sort([]),
        lambda: table.names(5),
        lambda: table.names(["x"]),
        lambda: table.caller_lines([]),
    ):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(IndexError, match="no row 0"):
        table.lines([0])
    with pytest.raises(OverflowError):
        table.lines([-1])
    assert table.sort(((9, 1),)) is None
    assert table.sort((("name", 1),)) is None
    assert table.sort(((1, 0),)) is None
    assert table.rows([("f", 1, "g")]) is None
    assert table.rows([7]) is None
    assert table.rows([]) == table.sort(()) == []
    assert len(table) == 0
    assert marshal.loads(table.dump()) == table.stats() == table.callees() == {}


def test_objects_made_of_a_table_are_released():
    data = marshal.dumps(sample())
    added = {("leak.py", 4711, "leak"): (1, 1, 0.5, 0.5, {("~", 0, "x"): (1, 1, 0.5, 0.5)})}

    def use():
        table = _pstats.Table()
        table.load(data, False, True)
        table.add_dict(added, True)
        table.add_table(table)
        table.strip()
        table.lines(table.sort(((7, 1),)))
        table.rows(table.functions(range(len(table))))
        table.caller_lines(range(len(table)), 40)
        table.callee_lines(range(len(table)), 40)
        table.stats(), table.callees(), table.dump()
        for damaged in (b"", b"c", data[:100]):
            with pytest.raises((EOFError, ValueError)):
                table.load(damaged, True, True)

    def blocks_after(times):
        for _ in range(times):
            use()
        gc.collect()
        return sys.getallocatedblocks()

    first = blocks_after(5)
    # One object left a time would be 200.
    assert blocks_after(200) - first < 100


def test_table_is_used_by_threads_at_once():
    data = marshal.dumps(sample())
    table = _pstats.Table()
    failures = []

    def work():
        try:
            for _ in range(30):
                table.load(data, True, True)
                table.sort(((2, -1),))
                table.stats()
                table.lines(range(len(table)))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    expected = {function: row[0] * 120 for function, row in sample().items()}
    assert {function: row[0] for function, row in table.stats().items()} == expected


def test_works_in_an_isolated_interpreter(path):
    run_isolated(
        "from hasten import pstats; import io\n"
        f"stats = pstats.Stats({path!r}, {path!r}, stream=io.StringIO()).strip_dirs()\n"
        "stats.sort_stats('name').print_stats().print_callers()\n"
        "assert stats._table is not None and stats.stats and stats.stream.getvalue()\n"
    )


# The browser.

COMMANDS = """\
help
help stats
help sort
help add
help EOF
stats
read
read {path}
stats 3
sort
sort nonsense
sort time name
stats 5 0.5 py 1.5
callers 2
callees main 3
reverse
stats 2
strip
add {path}
add /no/such/file
stats 2
read /no/such/file
read {broken}
read
stats 1
"""


@pytest.mark.parametrize("arguments", [[], ["{path}"], ["{path}", "{path}"], ["/no/such/file"]])
@pytest.mark.parametrize("end", ["quit\n", "EOF\n", ""])
def test_browser(path, tmp_path, arguments, end):
    broken = tmp_path / "broken"
    broken.write_bytes(marshal.dumps(5))
    answers = []
    for module in ("pstats", "hasten.pstats"):
        words = [argument.format(path=path) for argument in arguments]
        answers.append(
            subprocess.run(
                [sys.executable, "-m", module, *words],
                input=COMMANDS.format(path=path, broken=broken) + end,
                env=os.environ | {"PYTHONIOENCODING": "utf-8:surrogatepass"},
                check=False,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="surrogatepass",
            )
        )
    assert answers[0].stdout == answers[1].stdout
    assert answers[0].returncode == answers[1].returncode == 0
    assert answers[1].stderr == ""
