// Package events is Ringline's vocabulary: ids, subjects, commands, answers, calls, transitions and
// notifications, and how each is written and read as JSON. It does no I/O and knows no clock.
//
// What it promises:
//
//  1. Every subject is built and parsed here (subjects.go); nobody else puts a subject together.
//  2. A command is read strictly (ReadCommand): an unknown field, a name given twice, a null, a wrong type or
//     a value over its limit is an *Error that names the field and the limit. Whatever ReadCommand returns
//     without an error keeps every rule that can be checked without knowing the call.
//  3. Answers, transitions and notifications are read leniently: a field that is not known is passed over. A
//     transition in a newer format is not read at all, and told from what is none (NewerFormatError).
//  4. Verbs, events, kinds of notification, states, reasons and error codes are closed sets (words.go).
//  5. What is unset is left out, arrays are always there, and nothing is HTML-escaped (Encode).
//
// In one sentence: if a value of this package exists, it can be published; if a message was accepted by this
// package, it can be acted on.
package events
