// Package sweep measures how Ringline depends on one factor at a time: workers, load, replicas, ringing
// calls, sessions, stored calls. Each sweep yields a table in Markdown.
//
// Rules of the package:
//
//  1. Brokers and workers are separate processes without links between them. `ringline bench` plays the
//     calls, also as a separate process. All share the machine, and the table states its other load.
//  2. If there is a floor, it was measured in the same run, alternating with Ringline.
//  3. A step that fails is an error and has no row. The other steps are still measured.
package sweep
