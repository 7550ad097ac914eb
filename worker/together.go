package worker

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
)

// ErrPanic is what a panic becomes: it puts a message back, and must not end the process, or each worker that gets
// the message would end in turn.
var ErrPanic = errors.New("worker: panic")

// Together runs the functions beside each other, the last one here, and joins their errors. A panic is one of them. What is
// nil has nothing to do.
func Together(fs ...func() error) error {
	fs = slices.DeleteFunc(fs, func(f func() error) bool { return f == nil })
	if len(fs) == 0 {
		return nil
	}
	others, last := fs[:len(fs)-1], fs[len(fs)-1]
	errs := make(chan error, len(others))
	for _, f := range others {
		go func() { errs <- guard(f) }()
	}
	all := guard(last)
	for range others {
		all = errors.Join(all, <-errs)
	}
	return all
}

// guard makes an error of a panic. It says where it was. What a runtime error says of itself is told as well; any
// other value may hold what people said to each other, and of that only the type is told.
func guard(f func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case runtime.Error:
			err = fmt.Errorf("%w: %w\n%s", ErrPanic, p, debug.Stack())
		default:
			err = fmt.Errorf("%w: of type %T\n%s", ErrPanic, p, debug.Stack())
		}
	}()
	return f()
}
