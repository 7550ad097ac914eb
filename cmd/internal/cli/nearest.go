package cli

// Nearest returns the word that was probably meant: the one at the smallest edit distance, unless that distance is too
// large.
func Nearest(typed string, words []string) (string, bool) {
	best, least := "", 1+max(2, len(typed)/4)
	for _, w := range words {
		if d := editDistance(typed, w); d < least {
			best, least = w, d
		}
	}
	return best, best != ""
}

// editDistance counts the insertions, deletions and replacements of bytes that turn a into b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
