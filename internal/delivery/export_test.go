package delivery

// CodeAt is code, for the test against RFC 6238.
var CodeAt = code
