// Package demo is the page that `ringline dev` serves.
package demo

import "embed"

// Page is HTML, and needs Files at /demo/, and /ringline.js, /dev/token and /dev/events beside it.
//
//go:embed index.html
var Page []byte

// Files are what the page is made of besides.
//
//go:embed *.css *.js
var Files embed.FS
