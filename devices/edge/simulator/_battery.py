"""A battery twin: state of charge, losses both ways, and a meter that counts watt-hours."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BatteryModel:
    """
    What the battery is. Power is at the meter, efficiencies are shares (0 to 1] of each way.

    :raises ValueError: naming the field that is out of range.
    """

    capacity_kwh: float
    max_charge_kw: float
    max_discharge_kw: float
    charge_efficiency: float = 0.95
    discharge_efficiency: float = 0.95
    min_soc: float = 0.05
    max_soc: float = 0.95

    def __post_init__(self) -> None:
        if self.capacity_kwh <= 0:
            raise ValueError(f"capacity_kwh: {self.capacity_kwh} must be positive")
        for name in ("charge_efficiency", "discharge_efficiency"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name}: {getattr(self, name)} must be in (0, 1]")
        if not 0 <= self.min_soc < self.max_soc <= 1:
            raise ValueError("min_soc must be below max_soc, both within 0 to 1")


@dataclass
class BatteryTwin:
    """
    The battery as it is now.

    import_kwh and export_kwh count at the meter and never fall; `import_wh` and `export_wh` are
    what its display shows.
    """

    model: BatteryModel
    soc: float = 0.5
    import_kwh: float = 0.0
    export_kwh: float = 0.0

    def run(self, power_kw: float, hours: float) -> float:
        """
        Hold a power (> 0 discharges) and return the mean power that was possible, in kW.

        Physics has the last word: nothing flows into a full battery or out of an empty one.
        """
        model = self.model
        if power_kw >= 0:
            possible = self.soc * model.capacity_kwh * model.discharge_efficiency
            energy = min(power_kw * hours, possible)
            self.soc = max(0.0, self.soc - energy / model.discharge_efficiency / model.capacity_kwh)
            self.export_kwh += energy
            return energy / hours
        possible = (1 - self.soc) * model.capacity_kwh / model.charge_efficiency
        energy = min(-power_kw * hours, possible)
        self.soc = min(1.0, self.soc + energy * model.charge_efficiency / model.capacity_kwh)
        self.import_kwh += energy
        return -energy / hours

    @property
    def import_wh(self) -> int:
        return _shown_wh(self.import_kwh)

    @property
    def export_wh(self) -> int:
        return _shown_wh(self.export_kwh)


def _shown_wh(energy_kwh: float) -> int:
    # A counter shows whole watt-hours; the hair above keeps 0.1 + 0.2 from losing one.
    return int(energy_kwh * 1000 + 1e-6)
