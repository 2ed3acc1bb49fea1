-- Puts a job that was set aside into the queue again, for the recipients it was set aside for.
-- KEYS: mail, mail:refused or mail:unknown; ARGV: ID there
local entry = redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])[1]
if not entry then return false end
local fields = {}
for i = 1, #entry[2], 2 do
    if entry[2][i] ~= 'job' and entry[2][i] ~= 'why' then
        table.insert(fields, entry[2][i])
        table.insert(fields, entry[2][i + 1])
    end
end
redis.call('XDEL', KEYS[2], ARGV[1])
return redis.call('XADD', KEYS[1], '*', unpack(fields))
