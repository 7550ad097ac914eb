package cli

import (
	"errors"

	"ringline.io/ringline/events"
)

// WithoutCode returns an error with the text of err, without the code of an *events.Error: the code is for programs. It returns
// nil for nil.
func WithoutCode(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(events.Message(err))
}
