// Package settings reads and checks the environment variables RINGLINE_…, and the flags that override some of them.
// Everything else in cmd takes the settings as a value.
package settings
