#include "api/common_passwords.h"
#include "base/macros.h"

/* From what published lists of leaked passwords have in this length. */
static const char *const common[] = {
    "123456789012", "1234567890123", "12345678901234", "1234567890qwerty", "1q2w3e4r5t6y", "1q2w3e4r5t6y7u",
    "1q2w3e4r5t6y7u8i", "1qaz2wsx3edc", "1qaz2wsx3edc4rfv", "1qazxsw23edc", "abc123456789", "abcd12345678",
    "admin1234567", "admin12345678", "administrador", "administrator", "adminadminadmin", "amorzinho123", "backtothefuture",
    "basketball123", "bismillah123", "brasil123456", "changeme1234", "changemenow1", "charlie12345", "chocolate123",
    "computer1234", "contrasena123", "corinthians1", "correio12345", "default12345", "dragonball123", "estrelinha123",
    "flamengo1234", "football1234", "gabriela1234", "helloworld123", "iloveyou1234", "iloveyou12345", "iloveyousomuch",
    "internet1234", "jesuscristo1", "jesuschrist1", "letmein12345", "letmeinplease", "liverpool123", "lovelovelove",
    "mailserver12", "manchester123", "minhasenha123", "monkey123456", "motdepasse12", "mudar1234567", "mypassword12",
    "mypassword123", "naruto123456", "newpassword1", "palmeiras123", "passw0rd1234", "password0000", "password1111",
    "password1234", "password12345", "password123456", "password1234567", "password12345678", "password123456789",
    "passwordpassword", "passw0rd!234", "password123!", "password1234!", "postmaster12", "princess1234", "q1w2e3r4t5y6",
    "qazwsxedcrfv", "qwer1234tyui", "qwerty123456", "qwerty1234567", "qwertyuiop12", "qwertyuiop123", "qwertyuiop[]",
    "qwertyuiopasdf", "qwertyuiopasdfghjkl", "root12345678", "saopaulo1234", "senha1234567", "senha12345678",
    "senhasenhasenha", "spiderman123", "starwars1234", "sunshine1234", "superman1234", "temporary123", "test12345678",
    "testpassword", "thepassword1", "toortoortoor", "trustno1trustno1", "unknown12345", "welcome12345", "welcome123456",
    "whatever1234", "yourpassword", "zaq12wsxcde3", "zxcvbnmasdfg", "correcthorsebatterystaple",
};

static bool is_row(struct str s)
{
    static const struct str rows[] = { STR("0123456789012345678901234567890"), STR("9876543210987654321098765432109"),
                                       STR("abcdefghijklmnopqrstuvwxyz"),      STR("zyxwvutsrqponmlkjihgfedcba"),
                                       STR("qwertyuiopasdfghjklzxcvbnm"),      STR("1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p") };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (str_find(rows[i], s) != SIZE_MAX)
            return true;
    }
    return false;
}

/* "aaaaaaaaaaaa", "abcabcabcabc" */
static bool repeats(struct str s)
{
    for (size_t period = 1; period <= 4 && period * 3 <= s.len; period++) {
        size_t i = period;

        while (i < s.len && s.p[i] == s.p[i - period])
            i++;
        if (i == s.len)
            return true;
    }
    return false;
}

bool password_is_common(struct arena *a, struct str password)
{
    struct str s = arena_lower(a, password);
    bool found = is_row(s) || repeats(s);

    for (size_t i = 0; !found && i < ARRAY_LEN(common); i++)
        found = str_eq(s, str_c(common[i]));
    explicit_bzero((char *)(uintptr_t)s.p, s.len);
    return found;
}
