"""What flows do for the eyes of people."""

from slices.monitor import publishing
from slices.runtime.kinds import act

publish = act(publishing.publish)
drawn = publishing.drawn
