package events

import (
	"fmt"
	"strconv"
	"strings"
)

// Code is an error code of an answer.
type Code string

// The codes.
const (
	CodeInvalidArgument   Code = "invalid_argument"   // the command breaks a rule; it fails again however often it is sent
	CodeNotFound          Code = "not_found"          // no call has this id
	CodeAlreadyExists     Code = "already_exists"     // the call id of an invitation is taken
	CodePermissionDenied  Code = "permission_denied"  // the sender may not do this, or is not in the call
	CodeCallerBusy        Code = "caller_busy"        // the caller's own line is full
	CodeCallEnded         Code = "call_ended"         // the call is over
	CodeAnsweredElsewhere Code = "answered_elsewhere" // another device of the user has answered
	CodeNotPending        Code = "not_pending"        // nobody waits for this any more, or it was another attempt
	CodeRateLimited       Code = "rate_limited"       // too many commands
	CodeExhausted         Code = "exhausted"          // call storage is above its mark: not carried out; send it again later with the same id
	CodeUnavailable       Code = "unavailable"        // no answer in time; it may still be carried out
	CodeInternal          Code = "internal"           // a defect of ours
)

// Codes lists every code.
func Codes() []Code {
	return []Code{
		CodeInvalidArgument, CodeNotFound, CodeAlreadyExists, CodePermissionDenied, CodeCallerBusy, CodeCallEnded,
		CodeAnsweredElsewhere, CodeNotPending, CodeRateLimited, CodeExhausted, CodeUnavailable, CodeInternal,
	}
}

// Error is why a command was refused, as it stands in an answer. Message names the field and the limit.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Errorf makes an Error.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithoutQuotes gives a message as a log may hold it: with … for whatever it quotes. That came from outside, and may
// be a secret, or what people said to each other.
func WithoutQuotes(message string) string {
	var b strings.Builder
	message = strings.ReplaceAll(message, `'"'`, `'…'`) // a character that JSON did not expect begins no quote
	for {
		before, _, found := strings.Cut(message, `"`)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("…")
		quote, err := strconv.QuotedPrefix(message[len(before):])
		if err != nil {
			return b.String() // it has no end
		}
		message = message[len(before)+len(quote):]
	}
}

func invalid(format string, args ...any) *Error { return Errorf(CodeInvalidArgument, format, args...) }
