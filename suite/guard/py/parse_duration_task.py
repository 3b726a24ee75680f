def parse_duration(text):
    """
    Turn a duration such as "1h30m" into seconds. The parts are hours (h), minutes (m) and seconds (s) in this
    order; each may be missing. For example, parse_duration("2m5s") is 125.
    """
    # BEGIN SOLUTION
    import re

    parts = re.findall(r"(\d+)([hms])", text)
    return sum(int(count) * {"h": 3600, "m": 60, "s": 1}[unit] for count, unit in parts)
