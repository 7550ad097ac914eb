// Package play makes calls of all kinds as apps do, over subjects and over the API. It records everything
// that is sent, answered and notified.
package play
