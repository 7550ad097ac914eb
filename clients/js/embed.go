// Package js holds the JavaScript client as a browser loads it, so that `ringline dev` can serve it.
package js

import _ "embed"

// Script is dist/ringline.js, which `npm run build` makes: one file with the global Ringline.
//
//go:embed dist/ringline.js
var Script []byte
