package token

import (
	"errors"
	"fmt"
)

// The reasons why a token is rejected, a closed set. The errors of Verify and Check wrap exactly one of them.
var (
	ErrExpired     = errors.New("token: expired")     // signed and otherwise valid
	ErrRevoked     = errors.New("token: revoked")     // signed, but issued before the not_before of its user
	ErrInvalid     = errors.New("token: invalid")     // anything else; the text has the reason, for a log
	ErrUnavailable = errors.New("token: unavailable") // the app's settings can't be read now
)

// invalid wraps ErrInvalid with a reason. Of the token, the reason may contain only the names of apps and keys.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
