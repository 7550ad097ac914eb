package events_test

import (
	"testing"

	"ringline.io/ringline/events"
)

const benchInvite = `{"command_id":"0f7c2a52b1c14bd5","user_id":"ann@example.com","device_id":"laptop","custom_data":"{\"title\":\"standup\"}",` +
	`"user_name":"Ann","call_type":1,"callees":[{"user_id":"bob@example.com","user_name":"Bob"},{"user_id":"eve@example.com"}],"ring_timeout_s":30}`

func BenchmarkReadInvite(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := events.ReadCommand(address(events.VerbInvite), []byte(benchInvite)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteCall(b *testing.B) {
	step := exampleStep()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := step.Encode(step.Call.CreatedAt); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadCall(b *testing.B) {
	step := exampleStep()
	body, err := step.Encode(step.Call.CreatedAt)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := events.ReadTransition("demo", "c1", body); err != nil {
			b.Fatal(err)
		}
	}
}
