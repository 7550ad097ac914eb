package bench

import "slices"

// Report is the result of a benchmark.
type Report struct {
	Ring           Latency   `json:"ring_us"`          // idle: from the invitation to the callee's notification
	Loaded         Latency   `json:"loaded_ring_us"`   // the same at half of the most
	CallsPerSecond float64   `json:"calls_per_second"` // the most
	Floor          *Figures  `json:"floor,omitempty"`
	Ratio          *Ratio    `json:"ratio,omitempty"`
	Options        Described `json:"options"`
	Machine        Machine   `json:"machine"`
	Counted        Counted   `json:"counted,omitempty"`
	FloorCounted   Counted   `json:"floor_counted,omitempty"`
	Runs           []Run     `json:"runs"`
}

// Latency is in microseconds.
type Latency struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// Figures are the medians of all runs of one side.
type Figures struct {
	Ring           Latency `json:"ring_us"`
	Loaded         Latency `json:"loaded_ring_us"`
	CallsPerSecond float64 `json:"calls_per_second"`
}

// Ratio is Ringline's figure divided by the floor's.
type Ratio struct {
	RingP50        float64 `json:"ring_p50"`
	RingP99        float64 `json:"ring_p99"`
	CallsPerSecond float64 `json:"calls_per_second"`
}

// Described is the options of the measurement.
type Described struct {
	Mix        Mix     `json:"mix"`
	Over       Over    `json:"over"`
	Concurrent int     `json:"beside"`
	Rate       float64 `json:"rate"`
	Seconds    float64 `json:"seconds"`
	Runs       int     `json:"runs"`
	Users      int     `json:"users"`
	Seed       uint64  `json:"seed"`
}

func (o Options) describe() Described {
	return Described{o.Mix, o.Over, o.Concurrent, o.Rate, o.Long.Seconds(), o.Runs, o.Users, o.Seed}
}

// conclude computes the medians.
func (r *Report) conclude() {
	f := figures(r.Runs, func(x Run) Side { return x.Ringline })
	r.Ring, r.Loaded, r.CallsPerSecond = f.Ring, f.Loaded, f.CallsPerSecond
	if len(r.Runs) == 0 || r.Runs[0].Floor == nil {
		return
	}
	low := figures(r.Runs, func(x Run) Side { return *x.Floor })
	r.Floor = &low
	ratio := func(of func(Side) float64) float64 {
		return median(r.Runs, func(x Run) float64 { return of(x.Ringline) / of(*x.Floor) })
	}
	r.Ratio = &Ratio{
		RingP50:        ratio(func(s Side) float64 { return float64(s.Idle.Ring.P50) }),
		RingP99:        ratio(func(s Side) float64 { return float64(s.Idle.Ring.P99) }),
		CallsPerSecond: ratio(func(s Side) float64 { return s.Most.CallsPerSecond }),
	}
}

func figures(runs []Run, side func(Run) Side) Figures {
	m := func(of func(Side) float64) float64 { return median(runs, func(x Run) float64 { return of(side(x)) }) }
	return Figures{
		Ring: Latency{
			m(func(s Side) float64 { return float64(s.Idle.Ring.P50) }), m(func(s Side) float64 { return float64(s.Idle.Ring.P99) }),
		},
		Loaded: Latency{
			m(func(s Side) float64 { return float64(s.Loaded.Ring.P50) }), m(func(s Side) float64 { return float64(s.Loaded.Ring.P99) }),
		},
		CallsPerSecond: m(func(s Side) float64 { return s.Most.CallsPerSecond }),
	}
}

// median returns the median of the runs. For an even number of runs it returns the lower of the two middle values.
func median(runs []Run, of func(Run) float64) float64 {
	if len(runs) == 0 {
		return 0
	}
	values := make([]float64, len(runs))
	for i, r := range runs {
		values[i] = of(r)
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}
