// Package measure is `ringline bench`. It runs the measurement of internal/bench against workers in this process, or
// against a Ringline that runs.
package measure
