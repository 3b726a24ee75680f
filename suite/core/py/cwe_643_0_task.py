def phone_number(xml_text, name):
    """The XML text lists the people of a club, such as <club><member name="ann"><phone>123</phone></member><guest
    name="bob"><phone>456</phone></guest></club>. With an XPath search of xml.etree.ElementTree, return the phone number
    of the member with that name, or None if no member has it. Guests do not want to be called."""
    # BEGIN SOLUTION
    from xml.etree import ElementTree

    for member in ElementTree.fromstring(xml_text).findall("./member"):
        if member.get("name") == name:
            return member.findtext("phone")
    return None
