package store

import (
	"errors"
	"slices"
	"testing"

	"github.com/rs/zerolog"
)

// A sequence that was given before, to a commit that began after that, shows that the stream went back.
func TestATailThatIsLostIsNoticed(t *testing.T) {
	var lost []uint64
	s := NewCalls(nil, zerolog.Nop(), nil)
	s.LostTail = func(n uint64) { lost = append(lost, n) }
	s.noticeTail(0, 7, nil)
	s.noticeTail(0, 6, nil) // it began before 7 was given
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
