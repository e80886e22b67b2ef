/** A prompt about a vehicle, as the agent writes it. */
export const VEHICLE_PROMPT = `You answer questions about one car.
<passage source="specs.md" title="Engine">
## Engine

The car has a 1.5 litre turbocharged petrol engine with four cylinders. The engine power is 110 kW (150 hp) at 5,500 rpm.
Maximum torque is 250 Nm between 1,500 and 3,500 rpm.
</passage>
<passage source="specs.md" title="Dimensions and weight">
| Property | Value |
| --- | --- |
| Length | 4,370 mm |
| Kerb weight | 1,320 kg |
| Boot volume | 380 l |
</passage>
<passage source="maintenance.md" title="Service intervals">
- Change the engine oil every 15,000 km or 12 months, whichever comes first.
- Replace the air filter every 60,000 km.
- Check the tyre pressure every month: 2.4 bar in front &amp; 2.2 bar at the back.
</passage>
<passage source="troubleshooting.md" title="The engine does not start">
If the starter turns but the engine does not start, check the fuel gauge &lt; 5 l first. A clicking starter means a flat battery.
</passage>`;
