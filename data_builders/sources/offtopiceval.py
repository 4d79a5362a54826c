"""OffTopicEval (Lei et al., 2025): 21 agents and their purposes, asked requests of our own."""

import io
import json
import zipfile
from collections.abc import Iterator

from convsafe.data_builders.scope import MIRRORED, agent_cases, load_agents
from convsafe.data_builders.source import Reader, SourceCard, SourceFile
from convsafe.taxonomy.records import Case

_REVISION = "62432efcaa2bf1f9b3eb0ea6f3ae1868f962dcdf"
_FOLDER = f"OffTopicEval-{_REVISION}/offtopiceval/chatbot_sys_prompt/"


def from_archive(published: bytes) -> bytes:
    """Return the repository's agent prompts as JSON lines, in the order of their names."""
    with zipfile.ZipFile(io.BytesIO(published)) as archive:
        names = [name for name in archive.namelist() if name.startswith(_FOLDER)]
        lines = [
            json.dumps(
                {
                    "agent": name.removeprefix(_FOLDER).removesuffix(".md"),
                    "system_prompt": archive.read(name).decode(),
                },
                ensure_ascii=False,
            )
            for name in sorted(names)
            if name.endswith(".md")
        ]
    return ("\n".join(lines) + "\n").encode()


CARD = SourceCard(
    name="offtopiceval",
    prefix="offtopic",
    title="OffTopicEval: When Large Language Models Enter the Wrong Chat, Almost Always!",
    home="https://github.com/declare-lab/OffTopicEval",
    revision=_REVISION,
    license="MIT",
    redistributable=True,
    files=(
        SourceFile(
            "agents.jsonl",
            "3baf398ab782e953fc855e53793916151e4df9c05258ef6ace5cf9b5f1cb5d75",
            f"https://github.com/declare-lab/OffTopicEval/archive/{_REVISION}.zip",
            convert=from_archive,
        ),
    ),
    bibtex="""@article{lei2025offtopiceval,
  title={OffTopicEval: When Large Language Models Enter the Wrong Chat, Almost Always!},
  author={Lei, Jingdi and Gumma, Varun and Bhardwaj, Rishabh and Lim, Seok Min and Li, Chuan and
          Zadeh, Amir and Poria, Soujanya},
  year={2025},
  journal={arXiv preprint arXiv:2509.26495},
  url={https://arxiv.org/abs/2509.26495}
}""",
    notes="Gives the 21 purposes alone: upstream's queries are on the Hub under no stated licence,"
    " so the requests are ours. The archive's layout has not been seen, its 21 files have.",
)


def cases(reader: Reader) -> Iterator[Case]:
    """Yield what each agent is asked: its system prompt is upstream's, the requests are ours.

    Our requests are offered under upstream's licence where they stand beside its text.
    """
    asked = {agent.name: agent for agent in load_agents() if agent.origin == MIRRORED}
    for row in reader.jsonl("agents.jsonl"):
        name = row.text("agent")
        reader.hazards(row, name)
        if name not in asked:
            raise row.error(f"agent {name!r} has no requests: add data_builders/agents/{name}.yaml")
        reader.used(row)
        yield from agent_cases(asked[name], row.text("system_prompt"), CARD)
