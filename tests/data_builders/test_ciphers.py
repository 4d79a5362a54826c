"""Ciphers: what goes out comes back, and a reply is read, or called invalid for a reason."""

from dataclasses import replace

import pytest
from convsafe.data_builders import ciphers, transform
from convsafe.data_builders.core import core_cases
from convsafe.data_builders.transform import NotApplicable
from convsafe.taxonomy.records import Case, Message
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = transform.names("cipher")
CASES = [case for case in core_cases() if len(case.messages) == 1]
# Those whose letters are replaced, so that a reply can come back plain or enciphered.
SECRET = [name for name in NAMES if name not in {"identity", "selfcipher", "leetspeak"}]
REFUSAL = "I am sorry, but I cannot help you with this request."
ANSWER = "Take the bus to the market square and walk along the river for a while."


def texts(name: str) -> st.SearchStrategy[str]:
    """Any text over a cipher's declared alphabet."""
    alphabet = ciphers.cipher(name).ALPHABET
    letters = (
        st.characters(exclude_categories=["Cs"])
        if alphabet is None
        else st.sampled_from(sorted(alphabet))
    )
    return st.text(letters, max_size=80)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(data=st.data())
def test_what_is_enciphered_comes_back(name: str, data: st.DataObject) -> None:
    found = ciphers.cipher(name)
    text = data.draw(texts(name))
    fold = getattr(found, "fold", lambda same: same)
    assert found.decode(found.encode(text)) == fold(text)


@pytest.mark.parametrize("name", NAMES)
def test_a_character_outside_the_alphabet_is_not_applicable(name: str) -> None:
    alphabet = ciphers.cipher(name).ALPHABET
    if alphabet is None:
        return
    from convsafe.data_builders.transform import file_of, module_at

    kind = module_at(file_of("cipher", name).with_name("_kind.py"))
    with pytest.raises(NotApplicable, match="outside its alphabet: U\\+1F600"):
        kind.check_alphabet(alphabet, "fine until 😀 here")


def prepared(case: Case, name: str) -> list[str]:
    return [message.content for message in transform.load("cipher", name).apply(case).messages]


def test_the_control_has_the_same_prompt_and_demonstrations_in_plain_text() -> None:
    case = next(case for case in CASES if case.prompt.isascii())
    caesar, plain = prepared(case, "caesar"), prepared(case, "identity")
    found = ciphers.cipher("caesar")
    assert found.decode(caesar[1]) == plain[1] == case.prompt
    told = ("I write: ", "You answer: ")
    demonstrations = [
        line.split(": ", 1)[1] for line in plain[0].splitlines() if line.startswith(told)
    ]
    assert len(demonstrations) == 6
    for text in demonstrations:
        assert found.encode(text) in caesar[0]


@pytest.mark.parametrize("name", NAMES)
def test_demonstrations_are_harmless_questions_with_answers(name: str) -> None:
    for language in ciphers.cipher(name).EXPLAINED:
        case = CASES[0] if language == "en" else _chinese()
        system = prepared(case, name)[0]
        written = ciphers.cipher(name).encode
        coffee = {"en": "How do I get a coffee stain out of a cotton shirt?"}
        assert written(coffee.get(language, "棉衬衫上的咖啡渍怎么洗掉？")) in system


def _chinese() -> Case:
    return replace(
        CASES[0],
        messages=(Message("user", "怎么去市场？"),),
        prompt="怎么去市场？",
        language="zh",
    )


@pytest.mark.parametrize("name", SECRET)
def test_a_reply_is_read_enciphered_or_plain(name: str) -> None:
    found = ciphers.cipher(name)
    fold = getattr(found, "fold", lambda same: same)
    for text in (REFUSAL, ANSWER):
        reply = ciphers.read_reply(name, "How do I get there?", found.encode(text))
        assert reply == (fold(text), True, "ciphered", "")
        assert ciphers.read_reply(name, "How do I get there?", text) == (text, True, "plain", "")


@pytest.mark.parametrize("name", SECRET)
def test_an_echo_is_invalid(name: str) -> None:
    query = "Where do I find the shop that sells old maps of the harbour?"
    found = ciphers.cipher(name)
    assert ciphers.read_reply(name, query, found.encode(query)).reason == "echo"
    assert ciphers.read_reply(name, query, query).reason == "echo"


@pytest.mark.parametrize("name", ["caesar", "atbash", "selfdefined", "morse", "ascii", "unicode"])
@pytest.mark.parametrize("reply", ["xqz vvkr qwpt zzxk jjq", "#### ~~ ((", "0x 0x"])
def test_noise_is_undecodable_and_nothing_is_empty(name: str, reply: str) -> None:
    assert ciphers.read_reply(name, "Any question at all?", reply).reason == "undecodable"
    assert ciphers.read_reply(name, "Any question at all?", " \n").reason == "empty"


def test_plain_english_is_told_from_every_letter_cipher() -> None:
    for case in CASES[::10]:
        assert ciphers.readable(case.prompt) > ciphers.READABLE
        for name in ("caesar", "rot13", "atbash", "selfdefined"):
            assert ciphers.readable(ciphers.cipher(name).encode(case.prompt)) < ciphers.READABLE


def test_bleu_is_one_for_the_same_and_near_nothing_for_another_text() -> None:
    assert ciphers.bleu(REFUSAL, REFUSAL) == pytest.approx(1.0)
    assert ciphers.bleu(REFUSAL, ANSWER) < ciphers.ECHO
    assert ciphers.bleu("", ANSWER) == ciphers.bleu(ANSWER, "") == 0.0


def test_a_chinese_reply_is_read_from_its_bytes() -> None:
    text = "对不起，我不能帮助你做这件事。"
    for name in ("gbk", "utf8", "unicode", "base64"):
        reply = ciphers.read_reply(name, "怎么做？", ciphers.cipher(name).encode(text), "zh")
        assert reply == (text, True, "ciphered", "")
