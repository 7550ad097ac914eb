package idle

import (
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"strings"
	"testing"
)

// The values of a heap profile are read, and a page that is no heap profile is an error, not 0.
func TestHeap(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	server := httptest.NewServer(mux)
	defer server.Close()
	kept := make([]byte, 32<<20)
	m, err := heap(t.Context(), strings.TrimPrefix(server.URL, "http://"))
	if err != nil || m.Heap < int64(len(kept)) || m.Stacks < 1<<10 {
		t.Errorf("%+v, %v", m, err)
	}
	kept[0] = 1 // keeps the memory in use until here
	none := httptest.NewServer(http.NotFoundHandler())
	defer none.Close()
	if m, err := heap(t.Context(), strings.TrimPrefix(none.URL, "http://")); err == nil {
		t.Errorf("nothing gives %+v", m)
	}
}

// The cost of a session does not include what the process itself needs.
func TestEach(t *testing.T) {
	o := Outcome{
		Few:  Level{Sessions: 1000, Memory: Memory{RSS: 50_000, Heap: 20_000, Stacks: 9000}},
		Many: Level{Sessions: 10_000, Memory: Memory{RSS: 230_000, Heap: 110_000, Stacks: 18_000}},
	}
	if got := o.Each(); got != (Memory{RSS: 20, Heap: 10, Stacks: 1}) {
		t.Errorf("%+v", got)
	}
}
