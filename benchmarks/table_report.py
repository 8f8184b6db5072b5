"""Report of the benchmark of tables, as Markdown: tables of scores and costs, and average ranks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Results = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""What was measured: set, then model, then name of the figure."""

SCORES = {"log_loss": False, "r2": True}
"""By which models are ranked, and whether more is better."""


def ranks(results: Results, score: str) -> tuple[dict[str, float], int]:
    """Return the average rank of each model that finished on every set with a score, and how many.

    Equal scores share the mean of their ranks.
    """
    sets = [own for own in results.values() if any(score in found for found in own.values())]
    models = [m for m in (sets[0] if sets else ()) if all(score in own.get(m, {}) for own in sets)]
    sign = -1.0 if SCORES[score] else 1.0
    total = dict.fromkeys(models, 0.0)
    for own in sets:
        values = {m: sign * own[m][score] for m in models}
        for m in models:
            below = sum(v < values[m] for v in values.values())
            equal = sum(v == values[m] for v in values.values())
            total[m] += below + (equal + 1) / 2
    return {m: total[m] / len(sets) for m in models}, len(sets)


def rank_table(results: Results) -> str:
    """Return the average ranks."""
    lines = ["| ranked by | sets | " + "ranks |", "| --- | --- | --- |"]
    for score in SCORES:
        found, n_sets = ranks(results, score)
        listed = ", ".join(f"{m} {r:.2f}" for m, r in sorted(found.items(), key=lambda kv: kv[1]))
        lines.append(f"| {score.replace('_', ' ')} | {n_sets} | {listed} |")
    return "\n".join(lines)


def score_table(results: Results, score: str, digits: int = 4) -> str:
    """Return a figure of every model on every set that has it; the best one is bold."""
    sets = {n: own for n, own in results.items() if any(score in f for f in own.values())}
    models = list(dict.fromkeys(m for own in sets.values() for m in own))
    lines = ["| set | " + " | ".join(models) + " |", "| --- " * (1 + len(models)) + "|"]
    for name, own in sets.items():
        values = {m: own[m][score] for m in models if score in own.get(m, {})}
        better = score in ("accuracy", "auc", "r2")
        best = (max if better else min)(values.values())
        cells = [_cell(own.get(m, {}), values.get(m), best, digits) for m in models]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(found: Mapping[str, Any], value: float | None, best: float, digits: int) -> str:
    if value is None:
        return str(found.get("failed", ""))
    text = f"{value:.{digits}f}"
    return f"**{text}**" if value == best else text


def behind(results: Results, model: str, rivals: tuple[str, ...]) -> list[str]:
    """Return a line for each set where a model is clearly behind the best of its rivals."""
    lines = []
    for name, own in results.items():
        for score, least in (("accuracy", 0.01), ("r2", 0.02)):
            values = [own[r][score] for r in rivals if score in own.get(r, {})]
            if values and score in own.get(model, {}):
                gap = max(values) - own[model][score]
                if gap > least:
                    lines.append(f"{name}: {score} {gap:.3f} behind {' or '.join(rivals)}")
    return lines


def report(results: Results, tuned: Results, about: Mapping[str, Any]) -> str:
    """Return the whole report."""
    parts = ["# Tables: the forest beside other models", ""]
    parts += [f"Machine: {', '.join(f'{k} {v}' for k, v in about.items())}.", ""]
    for title, found in (("at their defaults", results), ("at the tuned settings", tuned)):
        if not found:
            continue
        parts += [f"## All {title}", "", "### Average rank", "", rank_table(found), ""]
        for score in ("log_loss", "accuracy", "auc", "r2"):
            parts += [f"### {score.replace('_', ' ')}", "", score_table(found, score), ""]
        costs = {"fit_cpu": "fit, CPU seconds", "predict": "predict, seconds"}
        for score, name in costs.items():
            parts += [f"### {name}", "", score_table(found, score, 2), ""]
        parts += ["### memory, MiB of the process", "", score_table(found, "memory", 0), ""]
        parts += ["### size of the model, bytes", "", score_table(found, "bytes", 0), ""]
        parts += ["### Behind", ""]
        parts += behind(found, "RNNForest", ("HistGradientBoosting", "LightGBM")) or ["Nowhere."]
        parts += [""]
    return "\n".join(parts)
