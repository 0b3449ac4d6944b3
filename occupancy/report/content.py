"""The congestion report put together: twelve sections, headline, big numbers, from one study."""

from occupancy.indicator import METHOD_VERSION
from occupancy.report import (
    rules,
    section_findings,
    section_guidance,
    section_how_full,
    section_next,
    section_prices,
    section_quality,
    section_refused,
    section_signs,
    section_sites,
    section_turnover,
    section_vitals,
    section_when_where,
)
from occupancy.report.document import Kind, Kpi, LotNote, Report, Tone
from occupancy.report.facts import ReportFacts
from occupancy.report.figures import write_share
from occupancy.report.study import LotStudy, Study
from occupancy.report.vital_signs import INDEX, PEAK, TURNOVER, Sign, signs_of
from occupancy.report.wording import before_period, compared, listed
from occupancy.vitals import band_of

SHOWN_FIRST = (INDEX, PEAK, TURNOVER)


def write_report(facts: ReportFacts) -> Report:
    """Pure: the same facts give the same report. Who keeps it gives version and note."""
    study = Study(facts)
    signs = signs_of(study)
    first = section_findings.write(study)
    found = section_findings.findings_of(first)
    return Report(
        period=facts.period,
        title="三水区公共停车拥堵月报"
        if facts.period.kind == "month"
        else "三水区公共停车拥堵报告",
        subtitle=_subtitle(study),
        generated_at_ms=facts.generated_at_ms,
        method_version=METHOD_VERSION,
        headline=section_findings.headline(study, signs[0], found),
        kpis=(*(_kpi(study, one) for one in signs if one.wanted in SHOWN_FIRST), _complete(study)),
        sections=(
            first,
            section_vitals.write(study, signs),
            section_when_where.write(study),
            section_how_full.write(study),
            section_turnover.write(study),
            section_refused.write(study),
            section_guidance.write(study),
            section_signs.write(study),
            section_prices.write(study),
            section_sites.write(study),
            section_next.write(study),
            section_quality.write(study),
        ),
        lots=tuple(_note(one) for one in study.lots),
        formulas=rules.formulas(),
        completeness=study.grounds.completeness if study.has_data else None,
        is_sample=facts.is_sample,
        is_partial=facts.is_partial,
    )


def _subtitle(study: Study) -> str:
    spaces = sum(one.lot.capacity for one in study.lots)
    unsure = (
        "（拆分待核实）" if any("capacity" in one.lot.placeholders for one in study.lots) else ""
    )
    running = "，统计期未结束" if study.facts.is_partial else ""
    return f"{len(study.lots)} 场 {spaces:,} 位{unsure}{running}"


def _kpi(study: Study, sign: Sign) -> Kpi:
    wanted, now = sign.wanted, sign.now
    compared_words = [compared(now.value, sign.before, before_period(study.period), wanted.write)]
    if wanted.target is not None:
        word = "≤" if wanted.is_most else "≥"
        compared_words.append(f"目标 {word} {wanted.write(wanted.target)}")
    is_index = wanted is INDEX and now.value is not None
    return Kpi(
        code=wanted.code,
        name=wanted.name,
        value=now.value,
        unit=wanted.unit,
        kind=wanted.kind,
        decimals=wanted.decimals,
        band=band_of(now.value or 0.0).value if is_index else "",
        compared=" · ".join(compared_words),
        tone=_tone(sign),
        completeness=now.completeness,
        missing=now.reason,
    )


def _tone(sign: Sign) -> Tone:
    if sign.is_met is None:
        return Tone.PLAIN
    return Tone.PLAIN if sign.is_met else Tone.BAD


def _complete(study: Study) -> Kpi:
    """How whole the data is: with who is missing most."""
    share = study.grounds.completeness if study.has_data else None
    worst = min(
        (one for one in study.lots if one.seen.windows),
        key=lambda one: one.seen.completeness,
        default=None,
    )
    words = ""
    if worst is not None and share is not None and worst.seen.completeness < 1:
        words = f"{worst.name}最低，{write_share(worst.seen.completeness)}"
    tone = Tone.PLAIN if share is None or not study.unknown else Tone.WARNING
    return Kpi(
        code="completeness",
        name="数据完整率",
        value=share,
        kind=Kind.SHARE,
        compared=words,
        tone=tone,
        completeness=share,
        missing="" if share is not None else study.grounds.reason,
    )


def _note(lot: LotStudy) -> LotNote:
    usable_ms, told_ms = lot.seen.total("usable_ms"), lot.seen.total("told_ms")
    notes = [] if lot.is_connected else ["尚未接入数据"]
    notes += [words for words in (lot.grounds.note, lot.grounds.reason) if words]
    return LotNote(
        lot_id=lot.lot.lot_id,
        name=lot.lot.name,
        usable=round(usable_ms / told_ms) if told_ms else None,
        completeness=lot.seen.completeness,
        note=listed(notes),
    )
