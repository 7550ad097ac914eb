// Package demo is the page that `ringline dev` serves.
package demo

import "embed"

// Page is the HTML page. It needs Files at /demo/, and /ringline.js, /dev/token and /dev/events on the same origin. The
// key for the last two is in its URL.
//
//go:embed index.html
var Page []byte

// Files are the scripts and style sheets of the page.
//
//go:embed *.css *.js
var Files embed.FS
