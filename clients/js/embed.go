// Package js embeds the JavaScript client as a browser loads it, so that `ringline dev` can serve it.
package js

import _ "embed"

// Script is dist/ringline.js, one file with the global Ringline. `npm run build` makes it.
//
//go:embed dist/ringline.js
var Script []byte
