// Package sweep measures Ringline against one thing at a time: workers, load, replicas, calls that ring, sessions, stored calls.
// Each sweep gives a table in Markdown.
//
// What it promises:
//
//  1. Brokers and workers are processes of their own with nothing between them, and what plays calls is `ringline bench`, another one.
//     All of them share the machine; what it was doing besides is told with the table.
//  2. Where there is a floor, it was measured in the same run, in turns with Ringline.
//  3. A step that fails is an error and has no row. It keeps no other step from being measured.
package sweep
