/* SPDX-License-Identifier: Apache-2.0 */
#include "when.h"

#include <inttypes.h>
#include <stdio.h>

#include "cleanup.h"

#define USEC_PER_SEC INT64_C(1000000)
#define DAY_USEC (86400 * USEC_PER_SEC)

struct clock_words {
    unsigned year, month, day, hour, minute, second, usec; /* year 0: not there */
};

/* Days since 1970 of a date of the Gregorian calendar. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t usec_of(const struct clock_words *c, unsigned year)
{
    int64_t seconds =
        days_of(year, c->month, c->day) * 86400 + c->hour * 3600 + c->minute * 60 + c->second;

    return seconds * USEC_PER_SEC + c->usec;
}

static bool is_valid(const struct clock_words *c)
{
    return c->month >= 1 && c->month <= 12 && c->day >= 1 && c->day <= 31 && c->hour <= 23 &&
           c->minute <= 59 && c->second <= 60;
}

/* The year of 1970 + usec, near enough for choosing among two. */
static unsigned year_of(int64_t usec)
{
    int64_t year = 1970 + usec / (DAY_USEC / 4 * 1461);

    return year < 1971 ? 1971 : (unsigned)year;
}

static void set_local(const struct clock_words *c, int64_t now_usec, struct inq_klog_time *time)
{
    unsigned year = c->year;

    time->clock = INQ_KLOG_CLOCK_LOCAL;
    if (year == 0) {
        /* the last one that is not ahead; a day of grace for zones */
        time->year_assumed = true;
        year = year_of(now_usec) + 1;
        while (year > 1970 && usec_of(c, year) > now_usec + DAY_USEC)
            year--;
    }
    time->usec = usec_of(c, year);
}

/* HH:MM:SS and a fraction. */
static bool take_clock(struct inq_span *s, struct clock_words *c)
{
    struct inq_span t = *s;
    unsigned scale = 100000;

    if (!inq_span_take_digits(&t, 2, &c->hour) || !inq_span_take(&t, ":") ||
        !inq_span_take_digits(&t, 2, &c->minute) || !inq_span_take(&t, ":") ||
        !inq_span_take_digits(&t, 2, &c->second))
        return false;
    c->usec = 0;
    if (t.end - t.at >= 2 && (*t.at == '.' || *t.at == ',') && inq_is_digit(t.at[1])) {
        for (t.at++; t.at < t.end && inq_is_digit(*t.at); t.at++, scale /= 10)
            c->usec += scale * (unsigned)(*t.at - '0');
    }
    *s = t;
    return true;
}

/* "Z", "+01:00", "-0500"; nothing is a zone that is not known. */
static bool take_zone(struct inq_span *s, int64_t *ret_usec)
{
    struct inq_span t = *s;
    unsigned hours, minutes;
    bool west;

    *ret_usec = 0;
    if (inq_span_take(&t, "Z")) {
        *s = t;
        return true;
    }
    if (t.at == t.end || (*t.at != '+' && *t.at != '-'))
        return false;
    west = *t.at++ == '-';
    if (!inq_span_take_digits(&t, 2, &hours))
        return false;
    (void)inq_span_take(&t, ":");
    if (!inq_span_take_digits(&t, 2, &minutes))
        minutes = 0;
    if (hours > 15 || minutes > 59)
        return false;
    *ret_usec = (int64_t)(hours * 3600 + minutes * 60) * USEC_PER_SEC * (west ? -1 : 1);
    *s = t;
    return true;
}

static void copy_text(const char *from, const struct inq_span *s, struct inq_klog_time *time)
{
    struct inq_span text = {from, s->at};

    inq_span_trim(&text);
    inq_span_copy(&text, time->text, sizeof(time->text));
}

static bool is_weekday(const struct inq_span *word)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(days); i++)
        if (inq_span_is(word, days[i]))
            return true;
    return false;
}

/* " UTC"; other names of zones are not unique: the time stays local */
static void take_zone_name(struct inq_span *s, struct inq_klog_time *time)
{
    struct inq_span t = *s, word;

    inq_span_skip_blanks(&t);
    if (!inq_span_take_word(&t, &word) || inq_span_size(&word) > 5)
        return;
    for (const char *at = word.at; at < word.end; at++)
        if (*at < 'A' || *at > 'Z')
            return;
    if (inq_span_is(&word, "UTC") || inq_span_is(&word, "GMT"))
        time->clock = INQ_KLOG_CLOCK_UTC;
    *s = t;
}

bool inq_when_take_iso(struct inq_span *s, struct inq_klog_time *ret_time)
{
    struct inq_span t = *s;
    struct clock_words c = {0};
    struct inq_klog_time time = {0};
    struct inq_span day;
    int64_t zone;

    if (inq_span_take_word(&t, &day) && is_weekday(&day)) /* journalctl -o short-full */
        inq_span_skip_blanks(&t);
    else
        t = *s;
    if (!inq_span_take_digits(&t, 4, &c.year) || t.at == t.end || (*t.at != '-' && *t.at != '/'))
        return false;
    t.at++;
    if (!inq_span_take_digits(&t, 2, &c.month) || t.at == t.end || (*t.at != '-' && *t.at != '/'))
        return false;
    t.at++;
    if (!inq_span_take_digits(&t, 2, &c.day) || t.at == t.end || (*t.at != 'T' && *t.at != ' '))
        return false;
    t.at++;
    if (!take_clock(&t, &c) || !is_valid(&c) || c.year < 1971)
        return false;
    set_local(&c, 0, &time);
    if (take_zone(&t, &zone)) {
        time.clock = INQ_KLOG_CLOCK_UTC;
        time.usec -= zone;
    }
    if (t.at != s->at && is_weekday(&day))
        take_zone_name(&t, &time);
    copy_text(s->at, &t, &time);
    *s = t;
    *ret_time = time;
    return true;
}

/*
 * Months as journalctl and syslog write them in other locales: the first letters that tell them
 * apart. English comes first; where two languages share a beginning they mean the same month.
 */
static const struct {
    const char *begins;
    unsigned month;
} months[] = {
    {"Jan", 1},
    {"Feb", 2},
    {"Mar", 3},
    {"Apr", 4},
    {"May", 5},
    {"Jun", 6},
    {"Jul", 7},
    {"Aug", 8},
    {"Sep", 9},
    {"Oct", 10},
    {"Nov", 11},
    {"Dec", 12},
    {"jan", 1},
    {"feb", 2},
    {"mar", 3},
    {"apr", 4},
    {"jun", 6},
    {"jul", 7},
    {"aug", 8},
    {"sep", 9},
    {"oct", 10},
    {"nov", 11},
    {"dec", 12},
    /* German, Dutch, the Nordic languages */
    {"M\303\244r", 3},
    {"mrt", 3},
    {"maart", 3},
    {"mei", 5},
    {"mai", 5},
    {"Mai", 5},
    {"maj", 5},
    {"Okt", 10},
    {"okt", 10},
    {"Dez", 12},
    {"dez", 12},
    {"des", 12},
    /* French */
    {"janv", 1},
    {"f\303\251vr", 2},
    {"f\303\251v", 2},
    {"avr", 4},
    {"juin", 6},
    {"juil", 7},
    {"ao\303\273", 8},
    {"d\303\251c", 12},
    /* Spanish, Portuguese, Italian */
    {"ene", 1},
    {"abr", 4},
    {"may", 5},
    {"mag", 5},
    {"ago", 8},
    {"dic", 12},
    {"fev", 2},
    {"set", 9},
    {"out", 10},
    {"gen", 1},
    {"giu", 6},
    {"lug", 7},
    {"ott", 10},
    /* Polish, Czech; not "lip" and "lis", which are other months in Croatian */
    {"sty", 1},
    {"lut", 2},
    {"kwi", 4},
    {"cze", 6},
    {"sie", 8},
    {"wrz", 9},
    {"pa\305\272", 10},
    {"gru", 12},
    {"led", 1},
    {"\303\272no", 2},
    /* Russian */
    {"\321\217\320\275\320\262", 1},
    {"\321\204\320\265\320\262", 2},
    {"\320\274\320\260\321\200", 3},
    {"\320\260\320\277\321\200", 4},
    {"\320\274\320\260\321\217", 5},
    {"\320\274\320\260\320\271", 5},
    {"\320\270\321\216\320\275", 6},
    {"\320\270\321\216\320\273", 7},
    {"\320\260\320\262\320\263", 8},
    {"\321\201\320\265\320\275", 9},
    {"\320\276\320\272\321\202", 10},
    {"\320\275\320\276\321\217", 11},
    {"\320\264\320\265\320\272", 12},
};

static unsigned month_of(struct inq_span word)
{
    uint64_t number;

    for (size_t i = 0; i < INQ_ARRAY_SIZE(months); i++) {
        struct inq_span w = word;
        if (inq_span_take(&w, months[i].begins))
            return months[i].month;
    }
    /* Chinese, Japanese, Korean: "3月", "3월" */
    if (inq_span_take_decimal(&word, &number) && number >= 1 && number <= 12 &&
        (inq_span_is(&word, "\346\234\210") || inq_span_is(&word, "\354\233\224")))
        return (unsigned)number;
    return 0;
}

/* A month's name or its number with a word; anything else is no beginning of a time. */
static bool is_month_word(const struct inq_span *word)
{
    if (inq_span_size(word) < 3 || inq_span_size(word) > 24)
        return false;
    for (const char *at = word->at; at < word->end; at++) {
        unsigned char c = (unsigned char)*at;
        if (c < 0x80 && !((c | 0x20u) >= 'a' && (c | 0x20u) <= 'z') && c != '.' &&
            !inq_is_digit((char)c))
            return false;
    }
    return true;
}

static bool take_small(struct inq_span *s, unsigned most, unsigned *ret_value)
{
    struct inq_span t = *s;
    uint64_t value;

    if (!inq_span_take_decimal(&t, &value) || value > most)
        return false;
    *s = t;
    *ret_value = (unsigned)value;
    return true;
}

bool inq_when_take_syslog(struct inq_span *s, int64_t now_usec, struct inq_klog_time *ret_time)
{
    struct inq_span t = *s, word;
    struct clock_words c = {0};
    struct inq_klog_time time = {0};

    if (!inq_span_take_word(&t, &word))
        return false;
    if (is_weekday(&word)) {
        inq_span_skip_blanks(&t);
        if (!inq_span_take_word(&t, &word))
            return false;
    }
    if (!is_month_word(&word))
        return false;
    c.month = month_of(word);
    inq_span_skip_blanks(&t);
    if (c.month == 0) { /* perhaps a day of the week in another language */
        struct inq_span next = t, second;
        if (inq_span_take_word(&next, &second) && is_month_word(&second) && month_of(second)) {
            c.month = month_of(second);
            t = next;
            inq_span_skip_blanks(&t);
        }
    }
    if (!take_small(&t, 31, &c.day))
        return false;
    inq_span_skip_blanks(&t);
    struct inq_span year = t;
    if (inq_span_take_digits(&year, 4, &c.year) && inq_span_take(&year, " ") && c.year > 1970)
        t = year;
    else
        c.year = 0;
    if (!take_clock(&t, &c))
        return false;
    year = t;
    unsigned after;
    if (c.year == 0 && inq_span_take(&year, " ") && inq_span_take_digits(&year, 4, &after) &&
        after > 1970 && after < 2200 && (year.at == year.end || *year.at == ' ')) {
        c.year = after;
        t = year;
    }
    if (c.month && is_valid(&c))
        set_local(&c, now_usec, &time);
    copy_text(s->at, &t, &time);
    *s = t;
    *ret_time = time;
    return true;
}

bool inq_when_take_clock(struct inq_span *s, struct inq_klog_time *ret_time)
{
    struct inq_span t = *s;
    struct clock_words c = {.month = 1, .day = 1};
    struct inq_klog_time time = {0};

    if (!take_clock(&t, &c) || !is_valid(&c) || t.at == t.end || !inq_is_blank(*t.at))
        return false;
    copy_text(s->at, &t, &time);
    *s = t;
    *ret_time = time;
    return true;
}

/* dmesg -e: "Dec12 16:05" */
static bool read_short(struct inq_span t, int64_t now_usec, struct inq_klog_time *time)
{
    struct clock_words c = {0};

    if (inq_span_size(&t) < 3)
        return false;
    struct inq_span word = {t.at, t.at + 3};
    c.month = month_of(word);
    t.at += 3;
    inq_span_skip_blanks(&t);
    if (c.month == 0 || !take_small(&t, 31, &c.day) || !inq_span_take(&t, " ") ||
        !inq_span_take_digits(&t, 2, &c.hour) || !inq_span_take(&t, ":") ||
        !inq_span_take_digits(&t, 2, &c.minute) || t.at != t.end || !is_valid(&c))
        return false;
    set_local(&c, now_usec, time);
    return true;
}

bool inq_when_read_bracket(struct inq_span inside, int64_t now_usec, struct inq_klog_time *ret_time)
{
    struct inq_klog_time time = {0};
    struct inq_span t;
    uint64_t seconds, cpu;
    unsigned usec = 0, scale = 100000;

    inq_span_trim(&inside);
    inq_span_copy(&inside, time.text, sizeof(time.text));
    t = inside;
    bool delta = inq_span_take(&t, "+"); /* dmesg -d: since the line before */
    inq_span_skip_blanks(&t);
    if (inq_span_take_decimal(&t, &seconds)) {
        if (inq_span_take(&t, "."))
            for (; t.at < t.end && inq_is_digit(*t.at); t.at++, scale /= 10)
                usec += scale * (unsigned)(*t.at - '0');
        else if (!inq_span_take(&t, "s"))
            return false;
        /* phones: "[ 4711.815000@2]", "[ 4711.815000,0]" */
        if ((inq_span_take(&t, "@") || inq_span_take(&t, ",")) && !inq_span_take_decimal(&t, &cpu))
            return false;
        inq_span_skip_blanks(&t);
        if (t.at < t.end && *t.at == '<') /* dmesg -x -d: "[ 1.5 <  0.000002>]" */
            t.at = t.end;
        if (t.at != t.end || seconds > INT64_MAX / USEC_PER_SEC - 1)
            return false;
        if (!delta) {
            time.clock = INQ_KLOG_CLOCK_BOOT;
            time.usec = (int64_t)seconds * USEC_PER_SEC + usec;
        }
        *ret_time = time;
        return true;
    }
    if (read_short(inside, now_usec, &time)) {
        *ret_time = time;
        return true;
    }
    t = inside;
    return !delta && inq_when_take_syslog(&t, now_usec, ret_time) && t.at == t.end;
}

/* The inverse of days_of(), by eras of 400 years (146,097 days). */
static void date_of(int64_t days, unsigned *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    days += 719468;
    int64_t era = days / 146097;
    int64_t of_era = days - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;

    *ret_day = (unsigned)(of_year - (153 * m + 2) / 5 + 1);
    *ret_month = (unsigned)(m < 10 ? m + 3 : m - 9);
    *ret_year = (unsigned)(y + era * 400 + (*ret_month <= 2));
}

void inq_when_from_epoch(int64_t usec, struct inq_klog_time *ret_time)
{
    *ret_time = (struct inq_klog_time){.clock = INQ_KLOG_CLOCK_UTC, .usec = usec};
    inq_when_text(ret_time, ret_time->text, sizeof(ret_time->text));
}

bool inq_when_take_epoch(struct inq_span *s, struct inq_klog_time *ret_time)
{
    struct inq_span t = *s;
    uint64_t seconds;
    unsigned msec;

    if (!inq_span_take_decimal(&t, &seconds) || seconds > 253402300799ull ||
        !inq_span_take(&t, ".") || !inq_span_take_digits(&t, 3, &msec))
        return false;
    inq_when_from_epoch((int64_t)seconds * USEC_PER_SEC + msec * 1000, ret_time);
    *s = t;
    return true;
}

void inq_when_text(const struct inq_klog_time *time, char *buf, size_t size)
{
    unsigned year, month, day;

    if (time->clock == INQ_KLOG_CLOCK_NONE || time->usec < 0) {
        if (buf != time->text)
            snprintf(buf, size, "%s", time->text);
        return;
    }
    if (time->clock == INQ_KLOG_CLOCK_BOOT) {
        snprintf(buf, size, "%" PRId64 ".%06" PRId64 " s after boot", time->usec / USEC_PER_SEC,
                 time->usec % USEC_PER_SEC);
        return;
    }
    int64_t seconds = time->usec / USEC_PER_SEC;
    date_of(seconds / 86400, &year, &month, &day);
    seconds %= 86400;
    snprintf(buf, size, "%04u-%02u-%02uT%02d:%02d:%02d%s", year, month, day, (int)(seconds / 3600),
             (int)(seconds / 60 % 60), (int)(seconds % 60),
             time->clock == INQ_KLOG_CLOCK_UTC ? "Z" : "");
}
