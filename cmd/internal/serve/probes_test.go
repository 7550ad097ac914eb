package serve

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/rs/zerolog"

	"ringline.io/ringline/worker/meter"
)

// TestScrapeIsCanceled: a scraper that disconnects is not an error; other failures are.
func TestScrapeIsCanceled(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	m := meter.New("v0")
	h := MetricsHandler(m, zerolog.New(&out).Level(zerolog.InfoLevel))
	errorsCounted := func() string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
		return regexp.MustCompile(`ringline_errors_total{component="http"} \d+`).FindString(w.Body.String())
	}
	broken := &net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.EPIPE)}
	scrape := func(err error) {
		h.ServeHTTP(brokenWriter{httptest.NewRecorder(), err}, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	}
	scrape(broken)
	if got := errorsCounted(); out.Len() > 0 || got != `ringline_errors_total{component="http"} 0` {
		t.Errorf("who went is logged as %q and counted: %s", out.String(), got)
	}
	scrape(errors.New("full"))
	if got := errorsCounted(); !strings.Contains(out.String(), `"level":"error"`) || strings.HasSuffix(got, " 0") {
		t.Errorf("another error is logged as %q and counted: %s", out.String(), got)
	}
}

// brokenWriter fails every write.
type brokenWriter struct {
	http.ResponseWriter

	err error
}

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }
