package meter

import "time"

// The phases of a call in which a party is dropped.
const (
	phaseRinging = "ringing"
	phaseActive  = "active"
)

// Presence holds the metrics of the presence of devices. A nil *Presence counts nothing.
type Presence struct{ m *Meter }

// Presence returns the metrics of the presence of devices.
func (m *Meter) Presence() *Presence {
	if m == nil {
		return nil
	}
	p := &Presence{m}
	for _, phase := range []string{phaseRinging, phaseActive} {
		m.presenceDrops.WithLabelValues(phase)
	}
	p.State(0, false)
	p.Swept(0)
	return p
}

// Dropped counts a drop.
func (p *Presence) Dropped(active bool) {
	if p == nil {
		return
	}
	phase := phaseRinging
	if active {
		phase = phaseActive
	}
	p.m.presenceDrops.WithLabelValues(phase).Inc()
}

// State records the number of suspects, and whether drops are held.
func (p *Presence) State(suspects int, held bool) {
	if p == nil {
		return
	}
	p.m.presenceSuspects.WithLabelValues().Set(float64(suspects))
	p.m.presenceHeld.WithLabelValues().Set(0)
	if held {
		p.m.presenceHeld.WithLabelValues().Set(1)
	}
}

// Swept records the duration of a check of every party.
func (p *Presence) Swept(took time.Duration) {
	if p != nil {
		p.m.presenceSweepSeconds.WithLabelValues().Set(took.Seconds())
	}
}
