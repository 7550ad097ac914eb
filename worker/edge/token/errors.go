package token

import (
	"errors"
	"fmt"
)

// Why a token is not accepted, a closed set. The errors of Verify and Check wrap exactly one of them.
var (
	ErrExpired     = errors.New("token: expired")     // signed and in order, but its time is over
	ErrRevoked     = errors.New("token: revoked")     // signed, but issued before the not_before of its user
	ErrInvalid     = errors.New("token: invalid")     // anything else; the text says what, for a log
	ErrUnavailable = errors.New("token: unavailable") // the app's settings can't be read now
)

// invalid says why, in words that hold nothing of the token but what a key or an app may be called.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
