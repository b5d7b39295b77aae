package journal

// pollAnyway is pollEvery, because Windows often tells of a write only when the
// file is closed.
const pollAnyway = pollEvery
