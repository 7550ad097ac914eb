package serve

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/worker/health"
)

// The phases in which a process is not ready, whatever its conditions are.
const (
	phaseStarting = "starting"
	phaseStopping = "stopping"
)

// waiting is the same text whether NATS was never up or is lost.
func waiting(natsURL string) string { return "waiting for NATS at " + settings.WithoutSecrets(natsURL) }

// readyz serves /readyz.
type readyz struct{ *health.Health }

// ServeHTTP answers 200 if the process is ready, else 503 with the reason.
func (r readyz) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s := r.State()
	w.Header().Set("Content-Type", "application/json")
	if !s.Ready() {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if err := json.NewEncoder(w).Encode(struct {
		Ready    bool     `json:"ready"`
		Reason   string   `json:"reason,omitempty"`
		Degraded []string `json:"degraded,omitempty"`
	}{s.Ready(), whyNot(s), texts(s.Degraded)}); err != nil {
		return // the client has disconnected
	}
}

// whyNot is empty if the process is ready.
func whyNot(s health.State) string {
	var list []string
	if s.Phase != "" {
		list = append(list, s.Phase)
	}
	for _, r := range s.Failing {
		if r.Why != phaseStarting && !slices.Contains(list, r.Why) {
			list = append(list, r.Why)
		}
	}
	return strings.Join(list, "; ")
}

func texts(reasons []health.Reason) (list []string) {
	for _, r := range reasons {
		list = append(list, r.String())
	}
	return list
}

// healthEvery is the interval at which logHealth compares the conditions.
const healthEvery = 500 * time.Millisecond

// logHealth logs each reason when it appears and when it ends, until ctx ends. It skips starting and stopping, where
// the phase explains the state.
func logHealth(ctx context.Context, h *health.Health, log zerolog.Logger) {
	tick := time.NewTicker(healthEvery)
	defer tick.Stop()
	for before := (health.State{}); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := h.State()
		if now.Phase != "" {
			continue
		}
		for _, r := range health.Began(before, now) {
			log.Warn().Str("condition", string(r.Name)).Bool("ready", now.Ready()).Msg(r.Why)
		}
		for _, r := range health.Ended(before, now) {
			log.Info().Str("condition", string(r.Name)).Bool("ready", now.Ready()).Msg("resolved: " + r.Why)
		}
		before = now
	}
}
