package content

// Method is a way of teaching. Its prior says what it tends to gain.
type Method string
