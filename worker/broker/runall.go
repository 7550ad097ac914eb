package broker

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
)

// ErrPanic marks an error that was a panic. The message is nak'ed and the process continues: otherwise each worker that
// receives the message would crash in turn.
var ErrPanic = errors.New("broker: panic")

// RunAll runs the functions concurrently, the last one in the calling goroutine, and joins their errors. Panics become
// errors. Nil functions are ignored.
func RunAll(fs ...func() error) error {
	fs = slices.DeleteFunc(fs, func(f func() error) bool { return f == nil })
	if len(fs) == 0 {
		return nil
	}
	others, last := fs[:len(fs)-1], fs[len(fs)-1]
	errs := make(chan error, len(others))
	for _, f := range others {
		go func() { errs <- recovered(f) }()
	}
	all := recovered(last)
	for range others {
		all = errors.Join(all, <-errs)
	}
	return all
}

// recovered turns a panic into an error with the stack. It includes the text of a runtime error. Any other value may contain user
// data, so recovered includes only its type.
func recovered(f func() error) (err error) {
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
