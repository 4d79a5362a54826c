"""Laundering: the request inside a sentence of the agent's daily work (adaptive, by rule)."""

from convsafe.data_builders.rewriting import SLOT, pick
from convsafe.data_builders.scope import load_agents
from convsafe.data_builders.transform import (
    Changed,
    NotApplicable,
    Part,
    last_request,
    pair_key,
    with_request,
)
from convsafe.taxonomy.records import Case


def part() -> Part:
    """Return the transform; upstream rewrites with a model, this by each agent's own wrappers."""
    agents = {agent.name: agent for agent in load_agents()}

    def change(case: Case) -> Changed:
        text = last_request(case)
        if case.scope is None or case.scope.agent not in agents:
            raise NotApplicable("no agent with wrappers of its own")
        wrappers = agents[case.scope.agent].launder.get(case.language)
        if wrappers is None:
            raise NotApplicable(f"no wrappers of this agent in {case.language}")
        dressed = pick(wrappers, pair_key(case), "launder").replace(SLOT, text)
        return Changed(
            with_request(case, dressed), scope=case.scope._replace(directness="adaptive")
        )

    return Part("The request inside a sentence of the agent's work.", "Lei et al., 2025", change)
