package serve

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringline.io/ringline/worker/health"
)

// /readyz: a failing need makes the process unready, a degradation is only reported.
func TestReadiness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := health.New(time.Now)
		check := func(status int, want string) {
			t.Helper()
			w := httptest.NewRecorder()
			readyz{h}.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
			if got := strings.TrimSpace(w.Body.String()); w.Code != status || got != want {
				t.Errorf("%d %s, want %d %s", w.Code, got, status, want)
			}
		}
		there, again, api := h.Needs(health.NATS, health.Hold), h.Needs(health.NATS, health.Hold), h.Needs(health.API, health.Hold)
		full := h.Degrades(health.Storage)
		check(http.StatusServiceUnavailable, `{"ready":false,"reason":"starting"}`)
		h.Phase(waiting("nats://me:hush@h1:4222,nats://h2:4222"))
		check(http.StatusServiceUnavailable, `{"ready":false,"reason":"waiting for NATS at nats://h1:4222,nats://h2:4222"}`)
		h.Phase(phaseStarting)
		there.OK()
		again.OK()
		api.Fail("no room")
		check(http.StatusServiceUnavailable, `{"ready":false,"reason":"starting; no room"}`)
		api.OK()
		h.Running(phaseStarting)
		check(http.StatusOK, `{"ready":true}`)
		there.Fail("gone")
		again.Fail("gone")
		full.Fail("RINGLINE_CALLS is nearly full")
		check(http.StatusOK, `{"ready":true}`)
		time.Sleep(health.Hold)
		check(http.StatusServiceUnavailable, `{"ready":false,"reason":"gone","degraded":["storage: RINGLINE_CALLS is nearly full"]}`)
		there.OK()
		again.OK()
		time.Sleep(health.Hold)
		check(http.StatusOK, `{"ready":true,"degraded":["storage: RINGLINE_CALLS is nearly full"]}`)
		h.Phase(phaseStopping)
		check(http.StatusServiceUnavailable, `{"ready":false,"reason":"stopping","degraded":["storage: RINGLINE_CALLS is nearly full"]}`)
	})
}
