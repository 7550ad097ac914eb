// Package schemas is Ringline's machine-readable wire contract: a JSON Schema (draft-07) for every message, and
// asyncapi.yaml (AsyncAPI 3.0), which refers to them. Both are embedded, so that a program can validate what it sends
// and receives.
//
// One rule maps a type token to its schema and its Go type:
//
//	io.ringline.<name>.v1  ↔  <name>/v1.json (dots are slashes)  ↔  a type of package events
//
// A later version has its number in the type and in the file name. Three schemas have a version 2: call.<event>, the
// transition of stored format 2, and its parts view and part.callee. Everything except transitions of format 1 uses
// version 2.
//
//	command.<verb>       command/<verb>/v1.json       Command, by ReadCommand     a message on a call's cmd subject
//	answer               answer/v1.json               Answer                      the reply to a command
//	call.<event>         call/<event>/v1.json         Transition, by its Encode   the CloudEvent on a call's subject and in the log
//	notification.<kind>  notification/<kind>/v1.json  Notification                a notification to a user
//	view                 view/v1.json                 Call                        the call as its reader may see it
//	request.<method>     request/<method>/v1.json     Command, by ReadRequest     an api request; get, line and list
//	                                                                              by ReadGet, ReadLineRequest, ReadListRequest, ReadPresent
//	reply.<method>       reply/<method>/v1.json       Answer (get), LineAnswer, ListAnswer; the reply to a verb is the answer
//	session.<what>       session/<what>/v1.json       ConnectData, by ReadConnectData; Snapshot, SnapshotPush, SessionEvent
//	part.<name>          part/<name>/v1.json          By, Caller, Callee, Change, Entry, Error, Party, Remembered, SnapshotCall, TokenKey
//	line                 line/v1.json                 []Entry, by ReadLine        a value in RINGLINE_LINES
//	app                  app/v1.json                  AppSettings, by ReadAppSettings, a value in RINGLINE_APPS
//	deadline             deadline/v1.json             events.Deadline           a deadline as a delayed message
//
// The $id of each schema is https://ringline.io/schemas/<path>. A transition has the $id of its schema in its
// dataschema. References between schemas are relative paths, so that they also work in a local folder.
//
// Guarantees:
//
//  1. Commands and requests are strict: Ringline refuses everything that a schema refuses. JSON Schema can't express
//     all rules. The other rules are in the descriptions and, as code, in check.Beyond.
//  2. The schemas of messages that others read are open: v1 may get more fields, and readers ignore unknown ones. But
//     every field that is currently sent is described, and closed sets are closed.
//  3. A test compares schemas and Go types in both directions. Every test that runs a server validates each message.
//
// Package gen generates everything except the Go files, and package reference generates docs/reference.md.
package schemas

//go:generate go run ./gen
//go:generate go run ../internal/reference
