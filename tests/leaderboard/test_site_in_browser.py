"""The site in a real browser: sorting, filtering, comparing, links, themes, hostile text."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
from convsafe.leaderboard import site

from tests import browser
from tests.leaderboard.boards import HOSTILE, write_board

pytestmark = pytest.mark.skipif(
    not browser.CHROMIUM, reason="no chromium: `make browser` installs Debian's"
)
_ROWS = (
    "const doc=page.document;"
    "const open=async at=>{const done=wait();f.src=at;await done;page=f.contentWindow};"
    "const rows=()=>[...doc.querySelectorAll('#board tbody tr')].filter(r=>!r.hidden);"
    "const slugs=()=>rows().map(r=>r.dataset.slug);"
    'const head=key=>doc.querySelector(`#board th[data-key="${key}"]`);'
    "const by=key=>{const at=[...doc.querySelectorAll('#board thead th')].indexOf(head(key));"
    "return rows().map(r=>r.cells[at].dataset.v??r.cells[at].textContent)};"
    "const set=(id,value)=>{doc.getElementById(id).value=value;"
    "doc.getElementById(id).dispatchEvent(new page.Event('input',{bubbles:true}))};"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    board = write_board(folder / "board", models=12)
    path = board / "table.json"
    table = json.loads(path.read_text())
    table["entries"][1]["guards"] = {"input": "keywords 1"}
    table["entries"][2]["flags"] = ["canned"]
    path.write_text(json.dumps(table))
    return site(board, folder / "site").parent


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return tmp_path / "profile"


def drive(page: Path, profile: Path, script: str, width: int = 1280) -> Any:
    found = browser.drive(page, profile, _ROWS + script, width)
    assert not (isinstance(found, dict) and "error" in found), found
    return found


def test_a_header_sorts_both_ways_and_says_so(built: Path, profile: Path) -> None:
    found = drive(
        built / "index.html", profile,
        "const button=()=>head('unsafe_rate').querySelector('button');const out=[];"
        "for(let i=0;i<2;i++){button().click();"
        "out.push([head('unsafe_rate').getAttribute('aria-sort'),by('unsafe_rate').map(Number)])}"
        "return [out,head('rank').getAttribute('aria-sort'),slugs()]",
    )  # fmt: skip
    (up, least), (down, most) = found[0]
    assert (up, down) == ("ascending", "descending")
    assert least == sorted(least)
    assert most == sorted(most, reverse=True)
    assert found[1] is None
    assert len(found[2]) == 16


def test_filters_narrow_the_table_and_the_picture_and_count(built: Path, profile: Path) -> None:
    found = drive(
        built / "index.html", profile,
        "const seen=()=>doc.querySelectorAll('#frontier a:not(.away)').length;"
        "const count=()=>doc.getElementById('count').textContent;"
        "const out=[];const say=()=>out.push([slugs(),seen(),count()]);"
        "set('baselines','no');say();set('baselines','');set('find','TERN');say();set('find','');"
        "set('guards','yes');say();set('guards','');set('flags','yes');say();set('find','zzz');say();"
        "return out",
    )  # fmt: skip
    without, tern, guarded, flagged, none = found
    assert len(without[0]) == without[1] == 12
    assert not any(slug.startswith("always") for slug in without[0])
    assert tern[0]
    assert all(slug.startswith("tern") for slug in tern[0])
    assert tern[2] == f"{len(tern[0])} of 16 shown"
    assert guarded[0]
    assert flagged[0]
    assert none == [[], 0, "0 of 16 shown"]


def test_a_long_table_shows_its_best_hundred_until_asked_for_all(
    tmp_path: Path, profile: Path
) -> None:
    page = site(write_board(tmp_path / "board", models=101), tmp_path / "site")
    found = drive(
        page, profile,
        "const say=()=>[rows().length,doc.getElementById('count').textContent,"
        "doc.querySelectorAll('#frontier a:not(.away)').length,doc.getElementById('all').hidden];"
        "const one=say();head('unsafe_rate').querySelector('button').click();"
        "head('unsafe_rate').querySelector('button').click();"
        "const worst=Number(by('unsafe_rate')[0]);"
        "const all=[...doc.querySelectorAll('#board tbody tr')];"
        "const most=Math.max(...all.map(r=>+r.cells[4].dataset.v));"
        "doc.getElementById('all').click();return [one,say(),worst,most]",
    )  # fmt: skip
    assert found[0] == [100, "100 of 105 shown", 105, False]
    assert found[1] == [105, "105 of 105 shown", 105, True]
    assert found[2] == found[3], "sorting is over all, not over what is shown"


def test_columns_of_areas_are_a_heat_map_that_sorts(built: Path, profile: Path) -> None:
    found = drive(
        built / "index.html", profile,
        "set('view','area.unsafe_rate');head('area-3').querySelector('button').click();"
        "const heads=doc.querySelectorAll('#board th.up').length;"
        "const values=by('area-3').map(Number);"
        "const cells=doc.querySelectorAll('#board td[class*=\" h\"]').length;"
        "const shown=doc.querySelectorAll('#board thead th:not([hidden])').length;"
        "set('view','');const after=doc.querySelectorAll('#board th.up').length;"
        "return [heads,values,cells,shown,after,"
        "head('rank').getAttribute('aria-sort')]",
    )  # fmt: skip
    heads, values, cells, shown, after, sort = found
    assert heads == 19
    assert values == sorted(values)
    assert cells == 19 * 16
    assert shown == 19 + 3
    assert after == 0
    assert sort == "ascending"


def test_the_state_of_the_table_is_a_link(built: Path, profile: Path) -> None:
    found = drive(
        built / "index.html", profile,
        "set('baselines','no');head('over_refusal_rate').querySelector('button').click();"
        "head('over_refusal_rate').querySelector('button').click();const hash=page.location.hash;"
        "const one=slugs();await reload();const doc2=page.document;"
        "return [hash,one,[...doc2.querySelectorAll('#board tbody tr')].filter(r=>!r.hidden)"
        ".map(r=>r.dataset.slug),doc2.getElementById('baselines').value]",
    )  # fmt: skip
    hash, before, after, box = found
    assert hash == "#baselines=no&sort=-over_refusal_rate"
    assert before == after
    assert box == "no"


def test_a_strange_link_shows_the_plain_table(built: Path, profile: Path) -> None:
    found = drive(
        built / "index.html", profile,
        "page.location.hash='#sort=-__proto__&view=<b>.x&flags=maybe&find=';await reload();"
        "return [...page.document.querySelectorAll('#board tbody tr')].filter(r=>!r.hidden).length",
    )  # fmt: skip
    assert found == 16


def test_two_chosen_models_lead_to_their_comparison(built: Path, profile: Path) -> None:
    found = drive(
        built / "index.html", profile,
        "const boxes=[...doc.querySelectorAll('#board input')];"
        "boxes.slice(0,3).forEach(b=>b.click());"
        "return [doc.getElementById('compare').getAttribute('href'),slugs().slice(0,3),"
        "boxes.map(b=>b.checked).slice(0,3)]",
    )  # fmt: skip
    href, first, checked = found
    assert checked == [False, True, True], "the oldest choice goes"
    assert href == f"compare.html#{first[1]},{first[2]}"


def test_a_deep_link_compares_two_models_and_swapping_turns_signs(
    built: Path, profile: Path
) -> None:
    found = drive(
        built / "compare.html", profile,
        "page.location.hash='#always-refuse,always-comply';await reload();"
        "const read=()=>[...page.document.querySelectorAll('#out table')][0].tBodies[0];"
        "const cells=()=>[...read().rows].map(r=>[...r.cells].slice(0,4).map(c=>c.textContent));"
        "const one=cells();page.document.getElementById('swap').click();"
        "return [one,cells(),page.location.hash,page.document.getElementById('said').textContent]",
    )  # fmt: skip
    before, after, hash, said = found
    row = next(row for row in before if row[0].startswith("Over-refusal"))
    assert row[1].startswith("100.0")
    assert row[2].startswith("0.0")
    assert row[3] == "+100.0"
    assert next(row for row in after if row[0].startswith("Over-refusal"))[3] == "−100.0"
    assert hash == "#always-comply,always-refuse"
    assert said.startswith("always_comply: a baseline, not ranked")


def test_a_link_to_unknown_models_falls_back(built: Path, profile: Path) -> None:
    found = drive(
        built / "compare.html", profile,
        "page.location.hash='#nobody,<img src=x>';await reload();"
        "return ['first','second'].map(id=>page.document.getElementById(id).value)",
    )  # fmt: skip
    assert all(found)
    assert found[0] != found[1]


def test_the_theme_can_be_chosen_and_is_kept(built: Path, profile: Path) -> None:
    found = drive(
        built / "index.html", profile,
        "const paper=()=>page.getComputedStyle(page.document.body).backgroundColor;"
        "const one=paper();click('theme');const two=paper();await reload();"
        "const three=paper();click('theme');return [one,two,three,paper()]",
    )  # fmt: skip
    assert found[0] != found[1]
    assert found[1] == found[2], "kept"
    assert found[3] == found[0]


@pytest.mark.parametrize("name", ["index.html", "compare.html", "model"])
def test_a_phone_never_scrolls_the_page_sideways(built: Path, profile: Path, name: str) -> None:
    page = next((built / "models").iterdir()) if name == "model" else built / name
    layout, needed = browser.measure(page, profile, 390, 844)
    assert layout == needed == 390


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    write_board(folder / "board", models=len(HOSTILE), hostile=True)
    return site(folder / "board", folder / "site").parent


def test_hostile_text_never_runs(hostile: Path, profile: Path) -> None:
    pages = [hostile / "index.html", hostile / "compare.html", *(hostile / "models").iterdir()]
    found = drive(
        hostile / "index.html", profile,
        f"const out=[];for(const at of {json.dumps([page.as_uri() for page in pages])}){{"
        "await open(at);const doc=page.document;"
        "for(const one of doc.querySelectorAll('option'))"
        "{one.parentNode.value=one.value;one.parentNode.dispatchEvent(new page.Event('input'))}"
        "out.push([doc.title,doc.querySelectorAll('img,iframe,object,[onload],[onerror],"
        "[onmouseover],[style]').length,doc.querySelectorAll('script').length,"
        "[...doc.querySelectorAll('a')].filter(a=>/^(javascript|data):/i.test(a.href)).length])}"
        "await new Promise(done=>setTimeout(done,100));out.push(page.document.title);return out",
    )  # fmt: skip
    assert found.pop() == found[-1][0]
    assert len(found) == len(pages) == 2 + len(HOSTILE) + 4
    for page, (title, elements, scripts, links) in zip(pages, found, strict=True):
        assert title.endswith("convsafe-bench leaderboard")
        assert (elements, links) == (0, 0)
        assert scripts == (1 if page.parent.name == "models" else 3)


def test_the_policy_lets_every_part_run(built: Path, tmp_path: Path) -> None:
    model = next((built / "models").iterdir())
    frames = "".join(
        f'<iframe src="{page.as_uri()}"></iframe>'
        for page in (built / "index.html", built / "compare.html", model)
    )
    outer = tmp_path / "frames.html"
    outer.write_text(frames)
    assert browser.console(outer, tmp_path / "profile") == []


def axe() -> Path | None:
    """Return axe-core's script from a package that ships it."""
    for name in ("axe_playwright_python", "axe_core_python"):
        found = importlib.util.find_spec(name)
        if found and found.origin:
            return Path(found.origin).with_name("axe.min.js")
    return None


@pytest.mark.skipif(axe() is None, reason="no axe-core: pip install axe-core-python")
@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_serious(tmp_path: Path, width: int, theme: str) -> None:
    script = axe()
    assert script is not None
    built = site(write_board(tmp_path / "board", models=3), tmp_path / "site").parent
    model = next((built / "models").glob("cedar*.html"))
    pages = [
        _with_axe(page, tmp_path / f"{place}.html", script)
        for place, page in enumerate((built / "index.html", built / "compare.html", model))
    ]
    places = [pages[0].as_uri(), pages[0].as_uri() + "#view=area.unsafe_rate"]
    places += [page.as_uri() for page in pages[1:]]
    found = drive(
        pages[2], tmp_path / "profile",
        f"const out=[];for(const at of {json.dumps(places)}){{"
        "await open('about:blank');await open(at);"
        f"page.document.documentElement.dataset.theme='{theme}';"
        "const found=await page.axe.run(page.document);"
        "out.push([at,found.passes.length,found.violations.filter(v=>['serious','critical']"
        ".includes(v.impact)).map(v=>[v.id,v.nodes[0].html.slice(0,200),v.nodes[0].failureSummary])])}"
        "return out",
        width,
    )  # fmt: skip
    assert len(found) == 4
    for at, passed, violations in found:
        assert passed > 15, at
        assert violations == [], at


def _with_axe(page: Path, copy: Path, script: Path) -> Path:
    """Return a copy of a page that holds axe, without the policy that would not let it in."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text("utf-8"))
    copy.write_text(f"{text}<script>{script.read_text('utf-8')}</script>", encoding="utf-8")
    return copy
