package serve

import (
	"net/http"
	"sync/atomic"
)

// LazyHandler is a handler that is set later.
type LazyHandler struct{ handler atomic.Pointer[http.Handler] }

func (l *LazyHandler) set(h http.Handler) { l.handler.Store(&h) }

// ServeHTTP answers 503 until the handler is set.
func (l *LazyHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := l.handler.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	w.Header().Set("Retry-After", "1")
	http.Error(w, "not ready yet, see /readyz", http.StatusServiceUnavailable)
}
