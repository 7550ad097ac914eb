package store

import (
	"errors"
	"slices"
	"testing"

	"github.com/rs/zerolog"
)

// A commit that receives a sequence that was already known when it began shows that the stream has lost its newest messages.
func TestLostTailIsDetected(t *testing.T) {
	var lost []uint64
	s := NewCalls(nil, zerolog.Nop(), nil)
	s.LostTail = func(n uint64) { lost = append(lost, n) }
	s.noticeTail(0, 7, nil)
	s.noticeTail(0, 6, nil) // a commit that began before the other received 7
	s.noticeTail(7, 8, nil)
	s.noticeTail(8, 0, errors.New("refused"))
	if len(lost) > 0 {
		t.Fatalf("%v lost, and nothing was", lost)
	}
	s.noticeTail(8, 5, nil)
	s.noticeTail(5, 6, nil)
	if !slices.Equal(lost, []uint64{4}) {
		t.Errorf("%v lost, want 4: 5 to 8", lost)
	}
}
