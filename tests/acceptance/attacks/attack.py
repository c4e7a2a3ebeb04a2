"""What an attack is, and how it is shown that its defence is what stops it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from command_line import FULL, ROOT
from evidence import Shown

from attacks.weakening import PRODUCT, Change, Target, Weakener


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attack."""

    won: bool
    said: str
    """Codes, events, verdicts: what the attacked part answered."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One way of trying. `play` runs it against a tree and never fails itself."""

    name: str
    play: Callable[[Target], Outcome]
    expected: str
    """What the product must answer, word by word somewhere in `Outcome.said`."""
    defences: tuple[Change, ...]
    """Every check that stops it. More than one: they stand behind each other, and are weakened together."""

    @property
    def contracts(self) -> list[str]:
        return sorted({change.file for change in self.defences if change.file.endswith(".sol")})


@dataclass(frozen=True, slots=True)
class Proving:
    """Runs attacks on the product and on its weakened copies, and says what was shown."""

    weakener: Weakener
    shown: Shown

    def __call__(self, number: int, attacks: Sequence[Attack]) -> None:
        """Each must lose against the product, and win without its defence. The first is the attack itself, the others
        what one would try next: they are played at full size, and their defences are looked for always.
        """
        for change in (change for attack in attacks for change in attack.defences):
            change.found(ROOT)
        played = attacks if FULL else attacks[:1]
        for attack in played:
            self.weakener.begin(*attack.defences)
        for attack in played:
            self._prove(number, attack, self.weakener.begin(*attack.defences).result())

    def _prove(self, number: int, attack: Attack, without: Target) -> None:
        lost = attack.play(PRODUCT)
        assert not lost.won, f"{attack.name}: the product fell: {lost.said}"
        assert attack.expected in lost.said, f"{attack.name}: {attack.expected} expected: {lost.said}"
        if attack.contracts and FULL:
            # The other compiler settings alone must not be what lets it through.
            control = attack.play(self.weakener.control(attack.contracts))
            assert not control.won and attack.expected in control.said, f"{attack.name}: {control.said}"
        won = attack.play(without)
        assert won.won, f"{attack.name}: not needed against it: {[c.original for c in attack.defences]}: {won.said}"
        layers = f" ({len(attack.defences)} lines weakened together)" if len(attack.defences) > 1 else ""
        self.shown(f"({number}) {attack.name}", f"product: {lost.said} · without its defence{layers}: {won.said}")
