// Read before every C++ source of the build: glibc has sines of several numbers at once (libmvec), which a compiler takes when it is
// told that they exist. ggml takes its sines one by one; in the codec's decoder they are an eighth of the time.
#include <math.h>
#ifdef __cplusplus
extern "C" {
__attribute__((simd("notinbranch"))) float sinf(float) noexcept;
}
#endif
