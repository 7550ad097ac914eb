module ringline.io/ringline/tests/model

go 1.26
