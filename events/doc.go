// Package events defines Ringline's messages and names: ids, subjects, commands, answers, calls, transitions and
// notifications, and their JSON encoding. It does no I/O and reads no clock.
//
// Guarantees:
//
//  1. This package builds and parses every subject (subjects.go). No other package assembles subjects.
//  2. Commands are decoded strictly (ReadCommand). An unknown field, a duplicate name, a null, a wrong type or a
//     value over its limit is an *Error that names the field and the limit. A command that ReadCommand returns
//     without an error satisfies every rule that does not depend on the call.
//  3. Answers, transitions and notifications are decoded leniently: unknown fields are ignored. A transition in a
//     newer format is not decoded. NewerFormatError distinguishes it from a malformed message.
//  4. Verbs, events, kinds of notification, states, reasons and error codes are closed sets (words.go).
//  5. Unset fields are omitted, arrays are always present, and nothing is HTML-escaped (Encode).
//
// In one sentence: every value of this package can be published, and every message that it accepts can be processed.
package events
