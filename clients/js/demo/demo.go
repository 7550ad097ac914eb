// Package demo is the page that `ringline dev` serves.
package demo

import _ "embed"

// Page is HTML, and needs /ringline.js and /dev/token beside it.
//
//go:embed index.html
var Page []byte
